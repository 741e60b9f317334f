package spanlog

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The spans of a request go to several shards, so an Origin is used with the log of each in turn.
func TestOneOriginInSeveralLogs(t *testing.T) {
	p := NewPool(testBudget, 2)
	a, b := New(p, 0), New(p, 0)
	o := origin("resource", "scope")
	var ca, cb Chain
	for i := range 200 {
		l, c := a, &ca
		if i%3 == 0 {
			l, c = b, &cb
		}
		l.Append(c, o, fmt.Appendf(nil, "%0500d", i))
	}
	for _, records := range [][]string{bodies(a, ca), bodies(b, cb)} {
		for _, r := range records {
			require.Regexp(t, "^resource/scope/0+", r)
		}
	}
	assert.Len(t, bodies(a, ca), 133)
	assert.Len(t, bodies(b, cb), 67)
	a.Close()
	b.Close()
	p.Close()
	assert.Zero(t, p.Used())
}

// Headers with equal hashes are distinguished by their bytes.
func TestDictionaryComparesBytes(t *testing.T) {
	l, _ := newLog(t)
	var c Chain
	for i := range 10 {
		o := origin(fmt.Sprintf("resource %d", i%3), fmt.Sprintf("scope %d", i%2))
		o.resourceHash, o.scopeHash = 7, 7
		l.Append(&c, o, []byte{byte('0' + i)})
	}
	for i, got := range bodies(l, c) {
		assert.Equal(t, fmt.Sprintf("resource %d/scope %d/%d", i%3, i%2, i), got)
	}
	assert.Equal(t, 3+6, l.names.table.Len())
}

// A header in the previous segment is not reused in the next one.
func TestDictionaryBeginsAnewWithEachSegment(t *testing.T) {
	l, p := newLog(t)
	o := origin("resource", "scope")
	var c Chain
	n := 0
	for l.Usage().Segments < 5 {
		l.Append(&c, o, make([]byte, 1000))
		n++
	}
	origins := map[uint64]bool{}
	for r := range l.Records(c, nil) {
		origins[r.Origin] = true
		assert.Equal(t, "resource", string(r.Resource))
		assert.Equal(t, "scope", string(r.Scope))
	}
	assert.Len(t, origins, 5, "every segment is self-contained")
	assert.Greater(t, n, 4*p.SegmentSize()/1100)
}

// Several logs of one pool work concurrently.
func TestLogsShareAPool(t *testing.T) {
	p := NewPool(4<<20, 4)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			l := New(p, 0)
			defer l.Close()
			o := origin("r", "s")
			var chains []Chain
			for i := range 5000 {
				const bytes = 300
				if p.Reserve(bytes, 0) != nil {
					t.Error("refused below the budget")
					return
				}
				var c Chain
				l.Append(&c, o, make([]byte, bytes))
				p.Cancel(bytes)
				chains = append(chains, c)
				if len(chains) > 500 {
					l.Release(&chains[0])
					chains = chains[1:]
				}
				if i%1000 == 0 {
					l.Compact(0.5, true, nil)
				}
			}
		})
	}
	wg.Wait()
	assert.Zero(t, p.Used())
	assert.Zero(t, p.reserved.Load())
	p.Close()
}
