package assemble_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/internal/lawtest"
)

// A link knows the index of its target in the trace, the first one included, and -1 where the target is not there.
func TestLinkedSpans(t *testing.T) {
	tr := lawtest.Parsed(t, `
		a - server s/h 1ms 9ms
		b a internal s/h 3ms 8ms link=./a link=./c link=./f link=77/a
		c a internal s/h 2ms 4ms`)
	require.Equal(t, "c", lawtest.Short(tr.Spans[1].ID), "it starts first")
	type link struct {
		target trace.LinkTarget
		span   int
	}
	var got []link
	for _, l := range tr.Spans[2].Links {
		got = append(got, link{l.Target, l.Span})
	}
	require.Equal(t, []link{{trace.LinkAncestor, 0}, {trace.LinkSpan, 1}, {trace.LinkMissing, -1}, {trace.LinkTrace, -1}}, got)
}

// An end that is garbage does not stretch the trace, though the span is alone in it.
func TestGarbageEnd(t *testing.T) {
	tr := lawtest.Parsed(t, "a - server s/h 1ms future")
	require.Equal(t, tr.Start, tr.End)
	tr = lawtest.Parsed(t, "a - server s/h 1ms 8760h0m0.001s") // a year, to the nanosecond
	require.Equal(t, tr.Spans[0].End, tr.End)
	tr = lawtest.Parsed(t, "a - server s/h 1ms 8760h0m0.001000001s")
	require.Equal(t, tr.Start, tr.End)
}

// A span that the sampler marked is late only where the mark says so.
func TestLateMark(t *testing.T) {
	for want, mark := range map[string]func(ptrace.Span){
		"late": func(s ptrace.Span) { s.Attributes().PutBool("tailsampling.cached_decision", true) },
		"":     func(s ptrace.Span) { s.Attributes().PutBool("tailsampling.cached_decision", false) },
	} {
		td, err := lawtest.Parse("a - server s/h 1ms 2ms")
		require.NoError(t, err)
		mark(td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0))
		require.Equal(t, want, lawtest.Only(td, assemble.Options{}).Spans[0].Flags.String())
	}
}
