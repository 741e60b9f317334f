package spanlog

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The bytes of a segment are those that the package comment draws.
func TestSegmentLayout(t *testing.T) {
	l, _ := newLog(t)
	var c Chain
	o := origin("RES", "SC")
	l.Append(&c, o, []byte("one"))
	l.Append(&c, o, []byte("two!"))
	s := &l.segments[l.active]
	want := []byte{
		3, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 'R', 'E', 'S', // at 0: resource
		2, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 'S', 'C', // at 15: scope of the resource at 0
		3, 0, 0, 0, 15, 0, 0, 0xc0, 0, 0, 0, 0, 'o', 'n', 'e', // at 29: span of the scope at 15
		4, 0, 0, 0, 15, 0, 0, 0xc0, 29, 0, 0, 0, 't', 'w', 'o', '!', // at 44: span, after the one at 29
	}
	assert.Equal(t, want, s.buf[:s.used])
	assert.Equal(t, kindResource, s.kind(0))
	assert.Equal(t, kindScope, s.kind(15))
	assert.Equal(t, kindSpan, s.kind(44))
	assert.Equal(t, uint32(15), s.ref(44))
	assert.Equal(t, uint32(29), s.prev(44))
	assert.Equal(t, "two!", string(s.payload(44)))
	assert.Equal(t, len(s.buf)-len(want), s.room())
}

func TestPayloadCannotBeAppendedInto(t *testing.T) {
	l, _ := newLog(t)
	var c Chain
	o := origin("r", "s")
	l.Append(&c, o, []byte("one"))
	l.Append(&c, o, []byte("two"))
	for r := range l.Records(c) {
		_ = append(r.Body, "overwritten"...)
	}
	assert.Equal(t, []string{"r/s/one", "r/s/two"}, bodies(l, c))
}
