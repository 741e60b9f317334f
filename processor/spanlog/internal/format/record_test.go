package format

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRecordsAreReadInPlace(t *testing.T) {
	seg := newSegment(2)
	scope := seg.origin("res", "scope")
	span := seg.put(KindSpan, scope, -5, "body")
	copied := seg.copied(scope, PositionOf(1, 99), "copy")
	r := Records(seg.bytes())
	r.SetPrev(copied, span)

	assert.Equal(t, KindSpan, r.Kind(span))
	assert.Equal(t, KindCopied, r.Kind(copied))
	assert.Equal(t, KindScope, r.Kind(scope))
	assert.Equal(t, scope, r.Ref(span))
	assert.Equal(t, uint32(HeaderSize), r.Ref(scope))
	assert.Equal(t, KindResource, r.Kind(HeaderSize))
	assert.Zero(t, r.Ref(HeaderSize))
	assert.Zero(t, r.Prev(span))
	assert.Equal(t, span, r.Prev(copied))
	assert.Equal(t, int32(-5), r.Arrived(span))
	assert.Equal(t, "body", string(r.Content(span)))
	assert.Equal(t, "body", string(r.Body(span)))
	assert.Equal(t, "copy", string(r.Body(copied)))
	assert.Len(t, r.Content(copied), CopiedSize+4)
	assert.Equal(t, 4, cap(r.Body(span)), "nothing can be appended into the next record")
	assert.Equal(t, PositionOf(2, span), r.Position(2, span))
	assert.Equal(t, PositionOf(1, 99), r.Position(2, copied))
}
