package assemble_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/internal/lawtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestData(t *testing.T) { lawtest.RunData(t) }

// TestRandomGraphs checks the laws on traces of every shape, most of them nonsensical.
func TestRandomGraphs(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		lawtest.RequireLaws(t, lawtest.RandomGraph(rng, 1+rng.IntN(25)), assemble.Options{}, rng)
	}
}

// TestDeepAndWide: no function recurses, and none takes quadratic time.
func TestDeepAndWide(t *testing.T) {
	const n = 100_000
	for name, parent := range map[string]func(i int) int{
		"deep":     func(i int) int { return i - 1 },
		"wide":     func(int) int { return 1 },
		"backward": func(i int) int { return i + 1 }, // all below a missing parent, the last one first
		"cycle":    func(i int) int { return i%n + 1 },
	} {
		t.Run(name, func(t *testing.T) {
			td := ptrace.NewTraces()
			for r := range 2 {
				rs := td.ResourceSpans().AppendEmpty()
				rs.Resource().Attributes().PutStr("service.name", "s"+strconv.Itoa(r))
				spans := rs.ScopeSpans().AppendEmpty().Spans()
				spans.EnsureCapacity(n / 2)
				for i := 1 + r; i <= n; i += 2 {
					s := spans.AppendEmpty()
					s.SetTraceID(lawtest.TraceID)
					s.SetSpanID(lawtest.Numbered(i))
					s.SetParentSpanID(lawtest.Numbered(parent(i)))
					s.SetKind(ptrace.SpanKind(1 + i%3))
					s.SetStartTimestamp(pcommon.Timestamp(1_000_000 + i))
					s.SetEndTimestamp(pcommon.Timestamp(3_000_000 - i))
				}
			}
			tr := lawtest.Only(td, assemble.Options{})
			require.Equal(t, n, tr.Real())
			require.NotEmpty(t, tr.String())
			if name == "deep" {
				require.Equal(t, n-1, tr.Spans[n-1].Depth)
			}
		})
	}
}

// FuzzReconstruct takes any request that decodes.
func FuzzReconstruct(f *testing.F) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 3))
		raw, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(lawtest.RandomGraph(rng, 10))
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(raw)
		if err != nil || td.SpanCount() > 200 {
			return
		}
		spans := 0
		k := lawtest.Kept(td)
		batch := assemble.New(k)
		for i := range k.Traces {
			tr := batch.Trace(i, assemble.Options{})
			lawtest.RequireForest(t, tr, k.Traces[i].To-k.Traces[i].From)
			lawtest.RequireTimes(t, tr)
			spans += k.Traces[i].To - k.Traces[i].From
		}
		require.Equal(t, td.SpanCount(), spans)
	})
}
