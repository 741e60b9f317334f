package assemble_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/internal/lawtest"
)

// Cached headers, however many, and reused memory do not change the result.
func TestRemembersHeaders(t *testing.T) {
	var text strings.Builder
	for i := range 1500 {
		fmt.Fprintf(&text, "%x - server s%d/h%d 1ms 2ms\n", i+1, i, i)
	}
	many, err := lawtest.Parse(text.String())
	require.NoError(t, err)
	one, err := lawtest.Parse("a - server shop/h1 0us 100.001ms\nb a client shop/h1 10ms 90.001ms\nc b server cart/h2 -300.001ms -240ms")
	require.NoError(t, err)
	want := lawtest.Only(one, assemble.Options{}).String()
	for range 3 {
		b := assemble.New(lawtest.Kept(many))
		require.Len(t, b.Trace(0, assemble.Options{}).Clocks, 1500)
		b.Release()
		b = assemble.New(lawtest.Kept(one))
		require.Equal(t, want, b.Trace(0, assemble.Options{}).String())
		b.Release()
	}
}
