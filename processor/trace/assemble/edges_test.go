package assemble_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/internal/lawtest"
)

// A link has the index of its target in the trace, 0 included, and -1 if the target is not in it.
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

// A nonsensical end does not stretch the trace, even if the span is alone in it.
func TestGarbageEnd(t *testing.T) {
	tr := lawtest.Parsed(t, "a - server s/h 1ms future")
	require.Equal(t, tr.Start, tr.End)
	tr = lawtest.Parsed(t, "a - server s/h 1ms 8760h0m0.001s") // a year, to the nanosecond
	require.Equal(t, tr.Spans[0].End, tr.End)
	tr = lawtest.Parsed(t, "a - server s/h 1ms 8760h0m0.001000001s")
	require.Equal(t, tr.Start, tr.End)
}

// A span that the sampler marked is late only if the mark says so.
func TestLateMark(t *testing.T) {
	for name, at := range map[string]func(ptrace.ScopeSpans) pcommon.Map{
		"scope": func(ss ptrace.ScopeSpans) pcommon.Map { return ss.Scope().Attributes() },
		"span":  func(ss ptrace.ScopeSpans) pcommon.Map { return ss.Spans().At(0).Attributes() },
	} {
		for mark, want := range map[bool]string{true: "late", false: ""} {
			td, err := lawtest.Parse("a - server s/h 1ms 2ms")
			require.NoError(t, err)
			at(td.ResourceSpans().At(0).ScopeSpans().At(0)).PutBool("tailsampling.cached_decision", mark)
			require.Equal(t, want, lawtest.Only(td, assemble.Options{}).Spans[0].Flags.String(), name)
		}
	}
	td, err := lawtest.Parse("a - server s/h 1ms 2ms")
	require.NoError(t, err)
	k := lawtest.Kept(td)
	k.Traces[0].Late = true
	require.Equal(t, "late", assemble.One(k, assemble.Options{}).Spans[0].Flags.String())
}

// The policy is taken from the marks, else from a scope, else from a span.
func TestPolicy(t *testing.T) {
	td, err := lawtest.Parse("a - server s/h 1ms 2ms")
	require.NoError(t, err)
	ss := td.ResourceSpans().At(0).ScopeSpans().At(0)
	for _, step := range []struct {
		add  func()
		want string
	}{
		{func() {}, ""},
		{func() { ss.Spans().At(0).Attributes().PutStr("tailsampling.policy", "span") }, "span"},
		{func() { ss.Scope().Attributes().PutStr("tailsampling.policy", "scope") }, "scope"},
	} {
		step.add()
		require.Equal(t, step.want, lawtest.Only(td, assemble.Options{}).Policy)
	}
	k := lawtest.Kept(td)
	k.Traces[0].Marks = []wire.Attribute{wire.BoolAttribute("x", true), wire.StringAttribute("tailsampling.policy", "mark")}
	require.Equal(t, "mark", assemble.One(k, assemble.Options{}).Policy)
}
