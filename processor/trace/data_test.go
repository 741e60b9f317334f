package trace

import (
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

var rewrite = flag.Bool("rewrite", false, "rewrite testdata with what the tests found")

// TestData runs the cases under testdata. A case is a line "trace <name> [open]", spans as parseSpans reads them, a
// line "----", and the canonical text of the trace up to an empty line.
func TestData(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runFile(t, file) })
	}
}

func runFile(t *testing.T, file string) {
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var out strings.Builder
	blocks := strings.Split(strings.TrimRight(string(raw), "\n"), "\n\n")
	for i, block := range blocks {
		if i > 0 {
			out.WriteString("\n")
		}
		head, rest, ok := strings.Cut(block, "\ntrace ")
		if strings.HasPrefix(block, "trace ") {
			head, rest, ok = "", strings.TrimPrefix(block, "trace "), true
		} else if ok {
			head += "\n"
		}
		if !ok { // a comment
			out.WriteString(block + "\n")
			continue
		}
		title, body, _ := strings.Cut(rest, "\n")
		input, want, _ := strings.Cut(body+"\n", "----\n")
		t.Run(strings.Fields(title)[0], func(t *testing.T) {
			td, err := parseSpans(input)
			require.NoError(t, err)
			opts := Options{Open: strings.HasSuffix(title, " open")}
			got := only(td, opts).String()
			out.WriteString(head + "trace " + title + "\n" + input + "----\n" + got)
			if !*rewrite {
				require.Equal(t, strings.TrimRight(want, "\n"), strings.TrimRight(got, "\n"))
			}
			requireLaws(t, td, opts, rand.New(rand.NewPCG(1, 2)))
		})
	}
	if *rewrite && !t.Failed() {
		require.NoError(t, os.WriteFile(file, []byte(out.String()), 0o600))
	}
}

// requireLaws holds a trace to what is true of every trace, and of it in any order.
func requireLaws(t *testing.T, td ptrace.Traces, opts Options, rng *rand.Rand) {
	t.Helper()
	before, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	tr := only(td, opts)
	after, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	require.Equal(t, before, after, "reconstructing changes nothing of what it reads")

	requireForest(t, tr, td.SpanCount())
	requireTimes(t, tr)
	want := tr.String()
	for range 3 {
		require.Equal(t, want, only(shuffled(td, rng), opts).String(), "order must not matter")
	}
}

// requireForest: no span is lost, parents come before children, children are those that name it.
func requireForest(t *testing.T, tr *Trace, spans int) {
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

// requireTimes: durations never change, and no child starts before its parent.
func requireTimes(t *testing.T, tr *Trace) {
	t.Helper()
	for i := range tr.Spans {
		s := &tr.Spans[i]
		if s.Synthetic {
			continue
		}
		if s.CorrectedEnd != math.MaxUint64 { // the end of time
			require.Equal(t, s.rawDuration(), s.Duration(), "duration of %s", s.ID)
		}
		if s.Parent >= 0 && !startsOnItsOwn(s) {
			require.GreaterOrEqual(t, s.CorrectedStart, tr.Spans[s.Parent].CorrectedStart, "start of %s", s.ID)
		}
		if tr.Clock == ClockNone && s.Flags&badStart == 0 {
			require.Equal(t, s.Start, s.CorrectedStart, "clocks that agree are not touched")
		}
	}
}

// shuffled is the same spans in another order, with some resources and scopes shared.
func shuffled(td ptrace.Traces, rng *rand.Rand) ptrace.Traces {
	var inputs []Input
	for _, g := range Group(td) {
		inputs = append(inputs, g.Inputs...)
	}
	rng.Shuffle(len(inputs), func(i, j int) { inputs[i], inputs[j] = inputs[j], inputs[i] })
	out := ptrace.NewTraces()
	for i, in := range inputs {
		var ss ptrace.ScopeSpans
		if i > 0 && in.resource == inputs[i-1].resource && in.Scope.Name() == inputs[i-1].Scope.Name() && rng.IntN(2) == 0 {
			rs := out.ResourceSpans().At(out.ResourceSpans().Len() - 1)
			ss = rs.ScopeSpans().At(rs.ScopeSpans().Len() - 1)
		} else {
			rs := out.ResourceSpans().AppendEmpty()
			in.Resource.CopyTo(rs.Resource())
			ss = rs.ScopeSpans().AppendEmpty()
			in.Scope.CopyTo(ss.Scope())
		}
		in.Span.CopyTo(ss.Spans().AppendEmpty())
	}
	return out
}
