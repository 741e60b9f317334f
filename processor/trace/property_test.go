package trace

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// TestRandomGraphs holds traces of every shape, most of them nonsense, to the laws.
func TestRandomGraphs(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		requireLaws(t, randomGraph(rng, 1+rng.IntN(25)), Options{}, rng)
	}
}

// randomGraph makes n spans with few IDs, so that they collide, miss, loop and name themselves.
func randomGraph(rng *rand.Rand, n int) ptrace.Traces {
	td := ptrace.NewTraces()
	anyID := func() (id pcommon.SpanID) { id[7] = byte(rng.IntN(n + 3)); return id }
	anyTime := func() pcommon.Timestamp {
		switch rng.IntN(12) {
		case 0:
			return 0
		case 1:
			return pcommon.Timestamp(rng.Uint64())
		default:
			return pcommon.NewTimestampFromTime(testEpoch.Add(time.Duration(rng.IntN(1000)) * time.Microsecond))
		}
	}
	for range n {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", "s"+strconv.Itoa(rng.IntN(3)))
		if rng.IntN(3) > 0 {
			rs.Resource().Attributes().PutStr("host.name", "h"+strconv.Itoa(rng.IntN(4)))
		}
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetTraceID(testTraceID)
		span.SetSpanID(anyID())
		span.SetParentSpanID(anyID())
		span.SetKind(ptrace.SpanKind(rng.IntN(6)))
		span.SetName("n" + strconv.Itoa(rng.IntN(2)))
		span.SetStartTimestamp(anyTime())
		span.SetEndTimestamp(anyTime())
		if rng.IntN(4) == 0 {
			span.SetFlags([]uint32{0x101, 0x301}[rng.IntN(2)])
		}
		if rng.IntN(4) == 0 {
			l := span.Links().AppendEmpty()
			l.SetTraceID(testTraceID)
			l.SetSpanID(anyID())
		}
		if rng.IntN(6) == 0 {
			span.CopyTo(rs.ScopeSpans().At(0).Spans().AppendEmpty())
		}
	}
	return td
}

// TestOffsetsAreRecovered makes traces in which causes precede effects, sets every host's clock off by a known amount,
// and wants the truth within the uncertainty that the correction states.
func TestOffsetsAreRecovered(t *testing.T) {
	corrected := 0
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 11))
		hosts := 2 + rng.IntN(5)
		off := make(map[string]int64)
		for h := range hosts {
			off["svc @ h"+strconv.Itoa(h)] = (rng.Int64N(3) - 1) * rng.Int64N(int64(time.Hour))
		}
		td := honestTrace(rng, hosts, off)
		tr := only(td, Options{})
		requireLaws(t, td, Options{}, rng)
		requireTruth(t, tr, off, seed)
		for _, c := range tr.Clocks {
			require.NotEqual(t, ClockStep, c.Status, "seed %d: honest bounds never contradict", seed)
			require.NotEqual(t, ClockResidual, c.Status, "seed %d: solved clocks leave nothing over", seed)
			if c.Status == ClockBounded {
				corrected++
			}
		}
	}
	require.Greater(t, corrected, 100, "the test must not be vacuous")
}

// requireTruth: there is a reference against which every bounded clock's true offset lies within its uncertainty.
func requireTruth(t *testing.T, tr *Trace, off map[string]int64, seed uint64) {
	t.Helper()
	for _, ref := range tr.Clocks {
		fits := ref.Offset == 0
		for _, c := range tr.Clocks {
			if c.Status != ClockBounded {
				continue
			}
			wrong := c.Offset - (off[ref.Name] - off[c.Name])
			fits = fits && max(wrong, -wrong) <= c.Uncertainty
		}
		if fits {
			return
		}
	}
	t.Fatalf("seed %d: no reference fits the offsets\n%s", seed, tr)
}

// honestTrace is a tree of calls between hosts, in true time, each span then told by its host's clock.
func honestTrace(rng *rand.Rand, hosts int, off map[string]int64) ptrace.Traces {
	td := ptrace.NewTraces()
	next := uint64(0)
	add := func(host int, parent pcommon.SpanID, kind ptrace.SpanKind, from, to int64) pcommon.SpanID {
		next++
		rs := td.ResourceSpans().AppendEmpty()
		setResource(rs.Resource().Attributes(), "svc/h"+strconv.Itoa(host))
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		var id pcommon.SpanID
		binary.BigEndian.PutUint64(id[:], next)
		span.SetTraceID(testTraceID)
		span.SetSpanID(id)
		span.SetParentSpanID(parent)
		span.SetKind(kind)
		at := testEpoch.UnixNano() + off["svc @ h"+strconv.Itoa(host)]
		span.SetStartTimestamp(pcommon.Timestamp(at + from))
		span.SetEndTimestamp(pcommon.Timestamp(at + to))
		return id
	}
	var serve func(host int, parent pcommon.SpanID, from, to int64, depth int)
	serve = func(host int, parent pcommon.SpanID, from, to int64, depth int) {
		id := add(host, parent, ptrace.SpanKindServer, from, to)
		step := (to - from) / 4
		for k := range int64(3) {
			if depth == 0 || step < 1000 {
				return
			}
			start := from + k*step + rng.Int64N(step/4) + 1
			end := start + step/2 + rng.Int64N(step/4)
			client := add(host, id, ptrace.SpanKindClient, start, end)
			out, back := 1+rng.Int64N(step/8), 1+rng.Int64N(step/8)
			serve(rng.IntN(hosts), client, start+out, end-back, depth-1)
		}
	}
	serve(0, pcommon.SpanID{}, 1, 1_000_000_001, 3)
	return td
}

// TestDeepAndWide: nothing recurses and nothing is quadratic.
func TestDeepAndWide(t *testing.T) {
	const n = 100_000
	for name, parent := range map[string]func(i int) int{
		"deep":     func(i int) int { return i - 1 },
		"wide":     func(int) int { return 1 },
		"backward": func(i int) int { return i + 1 }, // all hang off a missing parent, the last one first
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
					s.SetTraceID(testTraceID)
					s.SetSpanID(numbered(i))
					s.SetParentSpanID(numbered(parent(i)))
					s.SetKind(ptrace.SpanKind(1 + i%3))
					s.SetStartTimestamp(pcommon.Timestamp(1_000_000 + i))
					s.SetEndTimestamp(pcommon.Timestamp(3_000_000 - i))
				}
			}
			tr := only(td, Options{})
			require.Equal(t, n, tr.Real())
			require.NotEmpty(t, tr.String())
			if name == "deep" {
				require.Equal(t, n-1, tr.Spans[n-1].Depth)
			}
		})
	}
}

func numbered(i int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], uint64(i))
	return id
}

// FuzzReconstruct takes any request that decodes.
func FuzzReconstruct(f *testing.F) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 3))
		raw, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(randomGraph(rng, 10))
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(raw)
		if err != nil || td.SpanCount() > 200 {
			return
		}
		spans := 0
		for _, g := range Group(td) {
			tr := Reconstruct(g, Options{})
			requireForest(t, tr, len(g.Inputs))
			requireTimes(t, tr)
			spans += len(g.Inputs)
		}
		require.Equal(t, td.SpanCount(), spans)
	})
}
