package wire_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

func TestTooDeep(t *testing.T) {
	require.False(t, protobuf.TooDeep(nil))
	require.False(t, protobuf.TooDeep(inRequest(nested(10))))
	require.False(t, protobuf.TooDeep(inRequest(nested(4990))))
	deep := inRequest(nested(5010))
	require.True(t, protobuf.TooDeep(deep))
	require.True(t, protobuf.TooDeep(msg{}.str(3, "text").raw(deep...)), "behind what is no message")
	require.True(t, protobuf.TooDeep(msg{}.len(9, 0xff).varint(4, 5).raw(deep...)))
	require.False(t, protobuf.TooDeep(deep[:len(deep)-1]), "cut off: decoding stops at once")
}

// What has a flat shape is not refused, whatever its text is.
func TestTooDeepKnowsText(t *testing.T) {
	for c := range 256 {
		span := aSpan()
		for i := range 20 {
			span = span.len(9, kv("key", msg{}.len(7, bytes.Repeat([]byte{byte(c)}, 1000*(i+1))...))...)
		}
		require.False(t, protobuf.TooDeep(inRequest(span)), "%d", c)
	}
}
