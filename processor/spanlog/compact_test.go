package spanlog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// One trace in ten stays: its spans must not keep other traces' segments.
func TestCompactFreesWhatStragglersKeep(t *testing.T) {
	l, p := newLog(t)
	body := make([]byte, 500)
	var kept, gone []Chain
	for i := range 1000 {
		var c Chain
		o := origin(fmt.Sprintf("service-%d", i%7), "scope")
		l.Append(&c, o, fmt.Appendf(body[:0], "first of %d %0400d", i, 0))
		l.Append(&c, o, fmt.Appendf(body[:0], "second of %d %0400d", i, 0))
		if i%10 == 0 {
			kept = append(kept, c)
		} else {
			gone = append(gone, c)
		}
	}
	var want [][]string
	for _, c := range kept {
		want = append(want, bodies(l, c))
	}
	before := l.Usage()
	for i := range gone {
		l.Release(&gone[i])
	}
	assert.Equal(t, before.Segments, l.Usage().Segments, "every segment has a straggler")

	assert.Zero(t, l.Compact(0.001, true, nil), "none is as empty as that")
	freed := l.Compact(0.5, true, nil)
	assert.GreaterOrEqual(t, freed, before.Segments-1, "all but the one being filled")
	after := l.Usage()
	assert.LessOrEqual(t, after.Allocated, after.Live+2*p.SegmentSize())
	for i, c := range kept {
		require.Equal(t, want[i], bodies(l, c))
		l.Release(&kept[i])
	}
	assert.Zero(t, l.Usage().Live)
	assert.LessOrEqual(t, l.Usage().Segments, 1)
}

// Without calls of Compact, an endless stream past a few stragglers keeps the log bounded.
func TestStragglersDoNotPileUp(t *testing.T) {
	l, p := newLog(t)
	o := origin("r", "s")
	body := make([]byte, 400)
	var stragglers, passing []Chain
	for i := range 20_000 {
		var c Chain
		l.Append(&c, o, body)
		if i%100 == 0 {
			stragglers = append(stragglers, c)
		} else {
			passing = append(passing, c)
		}
		if len(passing) > 100 {
			l.Release(&passing[0])
			passing = passing[1:]
		}
	}
	u := l.Usage()
	assert.LessOrEqual(t, u.Allocated, sparse*u.Live+12*p.SegmentSize())
	for _, c := range stragglers {
		require.Len(t, bodies(l, c), 1)
	}
}

func TestCompactLeavesHugeRecordsAlone(t *testing.T) {
	l, p := newLog(t)
	var c Chain
	l.Append(&c, origin("r", "s"), make([]byte, 2*p.SegmentSize()))
	assert.Zero(t, l.Compact(1, true, nil))
	assert.Equal(t, 2, l.Usage().Segments, "and the one being filled, which knows where it came in the order")
	assert.Len(t, bodies(l, c), 1)
}

// A segment of resources is not compacted, however small its spans are: the copy would need as much as it frees, and appending
// would never end.
func TestResourcesAreNotCopiedInCircles(t *testing.T) {
	l, p := newLog(t)
	header := strings.Repeat("r", largest(p.SegmentSize())-100)
	chains := make([]Chain, 200)
	for i := range chains {
		l.Append(&chains[i], origin(fmt.Sprint(i, header), "scope"), []byte("span"))
	}
	for i := range chains {
		assert.Len(t, bodies(l, chains[i]), 1)
	}
	u := l.Usage()
	assert.Zero(t, l.Compact(0.9, false, nil))
	assert.Equal(t, u, l.Usage())
	for i := range chains[:len(chains)-1] {
		l.Release(&chains[i])
	}
	assert.Less(t, l.Usage().Segments, 3)
}
