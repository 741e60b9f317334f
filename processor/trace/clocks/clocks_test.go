package clocks_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/internal/lawtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestData(t *testing.T) { lawtest.RunData(t) }

// TestOffsetsAreRecovered creates traces in which causes precede effects, skews every host's clock by a known offset, and checks
// that the true offset is within the stated uncertainty.
func TestOffsetsAreRecovered(t *testing.T) {
	corrected := 0
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 11))
		hosts := 2 + rng.IntN(5)
		off := make(map[string]int64)
		for h := range hosts {
			off["svc @ h"+strconv.Itoa(h)] = (rng.Int64N(3) - 1) * rng.Int64N(int64(time.Hour))
		}
		td := lawtest.HonestTrace(rng, hosts, off)
		tr := lawtest.Only(td, assemble.Options{})
		lawtest.RequireLaws(t, td, assemble.Options{}, rng)
		requireTruth(t, tr, off, seed)
		for _, c := range tr.Clocks {
			require.NotEqual(t, trace.ClockStep, c.Status, "seed %d: honest bounds never contradict", seed)
			require.NotEqual(t, trace.ClockResidual, c.Status, "seed %d: solved clocks leave nothing over", seed)
			if c.Status == trace.ClockBounded {
				corrected++
			}
		}
	}
	require.Greater(t, corrected, 100, "the test must not be vacuous")
}

// requireTruth checks that there is a reference clock against which every bounded clock's true offset lies within its uncertainty.
func requireTruth(t *testing.T, tr *trace.Trace, off map[string]int64, seed uint64) {
	t.Helper()
	for _, ref := range tr.Clocks {
		fits := ref.Offset == 0
		for _, c := range tr.Clocks {
			if c.Status != trace.ClockBounded {
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

// If more clocks are connected than a closure can handle, they are left alone, except spans that start before their parents.
func TestTooManyClocks(t *testing.T) {
	var b strings.Builder
	b.WriteString("1 - server s/h0 1us 10.001s\n")
	for i := range 140 {
		fmt.Fprintf(&b, "%x 1 server s/h%d 100.001ms 200ms\n", i+2, i+1)
	}
	b.WriteString("fff 1 server late/hx -5ms 1.000001s")
	tr := lawtest.Parsed(t, b.String())
	require.Equal(t, trace.ClockResidual, tr.Clock)
	require.Len(t, tr.Warnings, 1)
	require.Contains(t, tr.Warnings[0], "not corrected together")
}

// A loop of thousands of calls between many skewed hosts is solved quickly.
func TestManyBoundsAreThinned(t *testing.T) {
	td := ptrace.NewTraces()
	add := func(id, parent, host int, kind ptrace.SpanKind, start, end int64) {
		rs := td.ResourceSpans().AppendEmpty()
		lawtest.SetResource(rs.Resource().Attributes(), fmt.Sprintf("s/h%d", host))
		s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		s.SetTraceID(lawtest.TraceID)
		s.SetSpanID(lawtest.Numbered(id))
		s.SetParentSpanID(lawtest.Numbered(parent))
		s.SetKind(kind)
		skew := int64(host) * int64(time.Second)
		s.SetStartTimestamp(pcommon.Timestamp(lawtest.Epoch.UnixNano() + start + skew))
		s.SetEndTimestamp(pcommon.Timestamp(lawtest.Epoch.UnixNano() + end + skew))
	}
	const calls, hosts = 20_000, 100
	add(1, 0, 0, ptrace.SpanKindServer, 1, calls*1001)
	for i := range int64(calls) {
		at, spare := i*1000+1, 1+(calls-i)/100
		add(int(2*i+2), 1, 0, ptrace.SpanKindClient, at, at+900)
		add(int(2*i+3), int(2*i+2), 1+int(i)%(hosts-1), ptrace.SpanKindServer, at+spare, at+900-spare)
	}
	tr := lawtest.Only(td, assemble.Options{})
	require.Equal(t, trace.ClockBounded, tr.Clock)
	for i, c := range tr.Clocks {
		if i > 0 {
			require.InDelta(t, -int64(i)*int64(time.Second), c.Offset, 10, c.Name)
			require.LessOrEqual(t, c.Uncertainty, int64(10), "the tightest bounds are kept")
		}
	}
}
