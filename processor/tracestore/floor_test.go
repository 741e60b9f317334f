package tracestore

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/freespace"
	"github.com/slowburn/slowburn/processor/tracestore/internal/storetest"
)

// If the volume has less free space than is reserved for the span log, the oldest traces are evicted for new ones, one that does
// not fit is refused, and /readyz says so; the gateway stays ready.
func TestFloor(t *testing.T) {
	b := newBench(t, func(c *Config) { c.MinFreeDisk = 1 << 60 })
	b.writer.open()
	small, large := storetest.Spans(storetest.Spec{Trace: 1, ID: 1, Service: "s", Name: "op"}), storetest.Sized(t, 2, 1, 200_000)
	random := make([]byte, 100_000)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random)
	large.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().PutEmptyBytes("padding").FromRaw(random)
	says := func(what string) {
		h := b.Probe(t.Context())
		require.False(t, h.OK)
		require.False(t, h.Blocking)
		require.Contains(t, h.Message, what)
		require.Contains(t, h.Message, "(min_free_disk): free space there")
	}
	says("The trace store does not grow: ")
	require.NoError(t, b.tryNow(small), "the new file has a few free pages")
	says("The trace store does not grow: its oldest traces leave for new ones: ")
	var reached *freespace.Reached
	require.ErrorAs(t, b.tryNow(large), &reached)
	says("The trace store does not grow, and takes no traces: ")

	b = opened(t, func(c *Config) { c.MinFreeDisk = 1 })
	require.NoError(t, b.tryNow(large))
	require.True(t, b.Probe(t.Context()).OK)
}
