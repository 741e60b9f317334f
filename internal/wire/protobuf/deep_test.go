package protobuf_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

func TestTooDeep(t *testing.T) {
	require.False(t, protobuf.TooDeep(nil))
	require.False(t, protobuf.TooDeep(wiretest.InRequest(wiretest.Nested(10))))
	require.False(t, protobuf.TooDeep(wiretest.InRequest(wiretest.Nested(4990))))
	deep := wiretest.InRequest(wiretest.Nested(5010))
	require.True(t, protobuf.TooDeep(deep))
	require.True(t, protobuf.TooDeep(wiretest.Msg{}.Str(3, "text").Raw(deep...)), "behind what is no message")
	require.True(t, protobuf.TooDeep(wiretest.Msg{}.Len(9, 0xff).Varint(4, 5).Raw(deep...)))
	require.False(t, protobuf.TooDeep(deep[:len(deep)-1]), "cut off: decoding stops at once")
}

// A message without nesting is not refused, whatever its text is.
func TestTooDeepKnowsText(t *testing.T) {
	for c := range 256 {
		span := wiretest.ASpan()
		for i := range 20 {
			span = span.Len(9, wiretest.KV("key", wiretest.Msg{}.Len(7, bytes.Repeat([]byte{byte(c)}, 1000*(i+1))...))...)
		}
		require.False(t, protobuf.TooDeep(wiretest.InRequest(span)), "%d", c)
	}
}

// Nesting up to the limit is accepted, and one level more is not, in both checks.
func TestDepthLimit(t *testing.T) {
	depth := func(n int) []byte {
		var v wiretest.Msg
		for range n {
			v = wiretest.Msg{}.Len(5, v...)
		}
		return v
	}
	require.False(t, protobuf.TooDeep(depth(9_999)), "the message itself is a level")
	require.True(t, protobuf.TooDeep(depth(10_000)))
	require.False(t, protobuf.TooDeep(nil))
}
