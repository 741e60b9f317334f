package lawtest

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
)

// RequireLaws checks the laws that hold for every trace, also with its spans in another order.
func RequireLaws(t *testing.T, td ptrace.Traces, opts assemble.Options, rng *rand.Rand) {
	t.Helper()
	before, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	tr := Only(td, opts)
	after, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	require.Equal(t, before, after, "reconstructing changes nothing of what it reads")

	RequireForest(t, tr, td.SpanCount())
	RequireTimes(t, tr)
	want := tr.String()
	for range 3 {
		require.Equal(t, want, Only(shuffled(td, rng), opts).String(), "order must not matter")
	}
}

// RequireForest checks a trace's shape: no span is lost, parents come before children, children are those that name it.
func RequireForest(t *testing.T, tr *trace.Trace, spans int) {
	t.Helper()
	seen := make(map[int]bool)
	see := func(source int) {
		require.False(t, seen[source], "a span stands in one place")
		seen[source] = true
	}
	for _, i := range tr.Identical {
		see(i)
	}
	edges := 0
	for i := range tr.Spans {
		s := &tr.Spans[i]
		if !s.Synthetic {
			see(s.Source)
		}
		for _, o := range s.Others {
			see(o)
		}
		require.Less(t, s.Parent, i, "preorder")
		if s.Parent >= 0 {
			require.Equal(t, tr.Spans[s.Parent].Depth+1, s.Depth)
			require.Contains(t, tr.Spans[s.Parent].Children, i)
		} else {
			require.Contains(t, tr.Roots, i)
			require.Zero(t, s.Depth)
		}
		edges += len(s.Children)
	}
	require.Len(t, seen, spans, "no span is lost")
	require.Equal(t, len(tr.Spans), edges+len(tr.Roots), "every span is a root or a child, once")
}

// RequireTimes checks a trace's times: durations never change, and no child starts before its parent.
func RequireTimes(t *testing.T, tr *trace.Trace) {
	t.Helper()
	for i := range tr.Spans {
		s := &tr.Spans[i]
		if s.Synthetic {
			continue
		}
		if s.CorrectedEnd != math.MaxUint64 { // the end of time
			require.Equal(t, s.RawDuration(), s.Duration(), "duration of %s", s.ID)
		}
		if s.Parent >= 0 && !strings.HasSuffix(s.Scope.Name, "instrumentation-document-load") {
			require.GreaterOrEqual(t, s.CorrectedStart, tr.Spans[s.Parent].CorrectedStart, "start of %s", s.ID)
		}
		if tr.Clock == trace.ClockNone && s.Flags.OwnStart() {
			require.Equal(t, s.Start, s.CorrectedStart, "clocks that agree are not touched")
		}
	}
}

// shuffled returns the same spans in another order, with some resources and scopes shared.
func shuffled(td ptrace.Traces, rng *rand.Rand) ptrace.Traces {
	type input struct {
		resource pcommon.Resource
		scope    pcommon.InstrumentationScope
		span     ptrace.Span
	}
	var inputs []input
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				inputs = append(inputs, input{rs.Resource(), ss.Scope(), s})
			}
		}
	}
	rng.Shuffle(len(inputs), func(i, j int) { inputs[i], inputs[j] = inputs[j], inputs[i] })
	out := ptrace.NewTraces()
	for i, in := range inputs {
		var ss ptrace.ScopeSpans
		if i > 0 && reflect.DeepEqual(in.resource.Attributes().AsRaw(), inputs[i-1].resource.Attributes().AsRaw()) &&
			in.scope.Name() == inputs[i-1].scope.Name() && rng.IntN(2) == 0 {
			rs := out.ResourceSpans().At(out.ResourceSpans().Len() - 1)
			ss = rs.ScopeSpans().At(rs.ScopeSpans().Len() - 1)
		} else {
			rs := out.ResourceSpans().AppendEmpty()
			in.resource.CopyTo(rs.Resource())
			ss = rs.ScopeSpans().AppendEmpty()
			in.scope.CopyTo(ss.Scope())
		}
		in.span.CopyTo(ss.Spans().AppendEmpty())
	}
	return out
}
