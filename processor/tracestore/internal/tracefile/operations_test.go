package tracefile

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
)

func TestOperationKeys(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), 5000))
	for _, names := range [][2]string{{"s", "op"}, {"", ""}, {"a\x00b", "c"}, {"s", ""}} {
		op := digest.Operation{Service: names[0], Name: names[1]}
		got, ok := operationOf(operationKey(op))
		require.True(t, ok)
		require.Equal(t, op, got)
	}
	got, ok := operationOf(operationKey(digest.Operation{Service: long, Name: long}))
	require.True(t, ok)
	require.Len(t, got.Name, maxNameBytes)
	for _, bad := range [][]byte{nil, {0}, {0, 9, 'x'}} {
		_, ok := operationOf(bad)
		require.False(t, ok)
	}
}
