package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
)

// The parts of a Kept, in order, equal the whole; a mark on a part is on the whole.
func TestKeptParts(t *testing.T) {
	one, two := wiretest.Realistic(7), wiretest.Realistic(5)
	for _, rs := range two.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				id := span.TraceID()
				id[3] ^= 0xff
				span.SetTraceID(id)
			}
		}
	}
	var r wire.Request
	require.NoError(t, r.Scan(append(wiretest.Marshal(one), wiretest.Marshal(two)...)))
	var k wire.Kept
	_, err := k.Fill(&r)
	require.NoError(t, err)
	require.Len(t, k.Traces, 2)
	k.To = "otlp_grpc/backend"
	want := wiretest.Canonical(t, wiretest.Decode(t, append(wiretest.Marshal(one), wiretest.Marshal(two)...)))

	k.Take()
	var parts []byte
	for i := range k.Traces {
		p := k.Part(i, i+1)
		require.False(t, p.Taken())
		require.Equal(t, k.To, p.To)
		require.Zero(t, p.Traces[0].From)
		require.Equal(t, len(p.Spans), p.Traces[0].To)
		parts = p.AppendRequest(parts, 0, len(p.Spans))
		for s := range p.Spans {
			p.SetAttribute(s, wire.IntAttribute("part", int64(i)))
			p.Spans[s].Sent = true
		}
		p.Traces[0].Found = i
		p.Traces[0].Marks = []wire.Attribute{wire.StringAttribute("mark", "m")}
		k.Rejoin(p, i)
	}
	require.Equal(t, want, wiretest.Canonical(t, wiretest.Decode(t, parts)))
	require.Equal(t, 1, k.Traces[1].Found)
	require.Len(t, k.Traces[0].Marks, 1)
	td, err := k.Decode()
	require.NoError(t, err)
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			require.Contains(t, ss.Scope().Attributes().AsRaw(), "mark")
			for _, span := range ss.Spans().All() {
				part, there := span.Attributes().Get("part")
				require.True(t, there)
				require.Equal(t, span.TraceID() != one.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceID(), part.Int() == 1)
			}
		}
	}
	for i := range k.Spans {
		require.True(t, k.Spans[i].Sent)
	}
	require.Empty(t, k.Part(1, 1).Spans)
	require.Greater(t, k.Memory(), len(k.Bytes))
}
