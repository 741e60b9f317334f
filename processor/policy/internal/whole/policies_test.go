package whole

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

type section interface {
	Compile(b *ask.Builder) (rule.Node, error)
}

func ms(n int64) *int64 { return &n }

func matches(r rule.Rule, t *rule.Trace) bool {
	th, ok := r.Match(t)
	return ok && th == 0
}

// A policy with an upper bound lacks the trait Monotone, and one without lacks Bounded.
func TestBoundsAndTraits(t *testing.T) {
	for _, contrib := range []bool{false, true} {
		for _, c := range []struct {
			section section
			not     rule.Traits
		}{
			{&LatencyConfig{ThresholdMs: ms(5)}, rule.Bounded}, {&LatencyConfig{ThresholdMs: ms(5), UpperThresholdMs: ms(0)}, rule.Bounded},
			{&LatencyConfig{ThresholdMs: ms(5), UpperThresholdMs: ms(6)}, rule.Monotone}, {&LatencyConfig{UpperThresholdMs: ms(6)}, rule.Monotone},
			{&SpanCountConfig{MinSpans: 5}, rule.Bounded}, {&SpanCountConfig{MaxSpans: 5}, rule.Monotone}, {&ProbabilisticConfig{}, 0},
			{&OrphansConfig{}, 0}, {&RetriesConfig{}, 0}, {&CriticalPathConfig{ThresholdMs: ms(1)}, 0}, {&FailureModeConfig{Modes: []string{"response_lost"}}, 0},
		} {
			n, err := c.section.Compile(ask.NewBuilder(contrib))
			require.NoError(t, err)
			require.Equal(t, c.not, n.Not, "%+v", c.section)
			require.Zero(t, n.Traits)
		}
	}
}

func TestLatency(t *testing.T) {
	const milli = uint64(time.Millisecond)
	for _, c := range []struct {
		cfg      LatencyConfig
		duration uint64
		want     bool
	}{
		{LatencyConfig{ThresholdMs: ms(5)}, 5 * milli, false}, {LatencyConfig{ThresholdMs: ms(5)}, 5*milli + 1, true},
		{LatencyConfig{ThresholdMs: ms(5), UpperThresholdMs: ms(7)}, 7 * milli, true},
		{LatencyConfig{ThresholdMs: ms(5), UpperThresholdMs: ms(7)}, 7*milli + 1, false},
		{LatencyConfig{UpperThresholdMs: ms(7)}, 0, false}, {LatencyConfig{UpperThresholdMs: ms(7)}, 1, true},
		{LatencyConfig{ThresholdMs: ms(0)}, math.MaxUint64 - 100, true},
	} {
		n, err := c.cfg.Compile(ask.NewBuilder(false))
		require.NoError(t, err)
		require.Equal(t, c.want, matches(n.Rule, &rule.Trace{Start: 100, End: 100 + c.duration}), "%+v", c)
	}
	const most = math.MaxInt64 / int64(time.Millisecond)
	for _, cfg := range []LatencyConfig{
		{}, {ThresholdMs: ms(-1)}, {ThresholdMs: ms(most + 1)}, {ThresholdMs: ms(5), UpperThresholdMs: ms(5)}, {ThresholdMs: ms(5), UpperThresholdMs: ms(-6)},
	} {
		_, err := cfg.Compile(ask.NewBuilder(false))
		require.Error(t, err)
	}
	_, err := (&LatencyConfig{ThresholdMs: ms(most)}).Compile(ask.NewBuilder(false))
	require.NoError(t, err)
}

// With compat contrib the latency is evaluated after each span.
func TestLatencyWithContrib(t *testing.T) {
	for _, c := range []struct {
		cfg  LatencyConfig
		end  time.Duration
		want bool
	}{
		{LatencyConfig{ThresholdMs: ms(5)}, 6*time.Millisecond - 1, false}, {LatencyConfig{ThresholdMs: ms(5)}, 6 * time.Millisecond, true},
		{LatencyConfig{UpperThresholdMs: ms(5)}, 6*time.Millisecond - 1, true}, {LatencyConfig{UpperThresholdMs: ms(5)}, 6 * time.Millisecond, false},
		{LatencyConfig{UpperThresholdMs: ms(5)}, time.Millisecond, true}, {LatencyConfig{UpperThresholdMs: ms(5)}, time.Millisecond - 1, false},
	} {
		b := ask.NewBuilder(true)
		n, err := c.cfg.Compile(b)
		require.NoError(t, err)
		q := b.Build()
		bits := make([]uint64, b.Words())
		q.Observe(bits, &policytest.Views(t, policytest.Span{End: c.end})[0], nil)
		require.Equal(t, c.want, matches(n.Rule, &rule.Trace{Bits: bits}), "%+v", c)
	}
}

func TestSpanCount(t *testing.T) {
	for _, c := range []struct {
		cfg   SpanCountConfig
		spans int
		want  bool
	}{
		{SpanCountConfig{MinSpans: 5}, 4, false}, {SpanCountConfig{MinSpans: 5}, 5, true}, {SpanCountConfig{MinSpans: 5}, math.MaxInt, true},
		{SpanCountConfig{MaxSpans: 5}, 0, true}, {SpanCountConfig{MaxSpans: 5}, 5, true}, {SpanCountConfig{MaxSpans: 5}, 6, false},
		{SpanCountConfig{MinSpans: 5, MaxSpans: 5}, 5, true}, {SpanCountConfig{}, 0, true},
	} {
		n, err := c.cfg.Compile(nil)
		require.NoError(t, err)
		require.Equal(t, c.want, matches(n.Rule, &rule.Trace{Spans: c.spans}), "%+v", c)
	}
	for _, cfg := range []SpanCountConfig{{MinSpans: -1}, {MaxSpans: -1}, {MinSpans: 5, MaxSpans: 4}} {
		_, err := cfg.Compile(nil)
		require.Error(t, err)
	}
}

func TestProbabilistic(t *testing.T) {
	b := ask.NewBuilder(false)
	for percent, want := range map[float64]uint64{0: threshold.Never, 25: threshold.Never / 4 * 3, 100: 0, 250: 0} {
		n, err := (&ProbabilisticConfig{SamplingPercentage: percent}).Compile(b)
		require.NoError(t, err)
		th, ok := n.Rule.Match(nil)
		require.True(t, ok)
		require.Equal(t, want, th)
	}
	require.Empty(t, b.Warnings())
	_, err := (&ProbabilisticConfig{HashSalt: "x"}).Compile(b)
	require.NoError(t, err)
	require.Len(t, b.Warnings(), 1)
	_, err = (&ProbabilisticConfig{SamplingPercentage: -1}).Compile(b)
	require.EqualError(t, err, "sampling_percentage: -1 must be 0 or more")

	b = ask.NewBuilder(true)
	n, err := (&ProbabilisticConfig{SamplingPercentage: 100, HashSalt: "x"}).Compile(b)
	require.NoError(t, err)
	require.True(t, matches(n.Rule, &rule.Trace{}))
	require.Empty(t, b.Warnings(), "it has a meaning there")
	n, err = (&ProbabilisticConfig{HashSalt: "x"}).Compile(b)
	require.NoError(t, err)
	require.False(t, matches(n.Rule, &rule.Trace{}))
}

// Traces whose skeleton cannot be read match nothing.
func TestWithoutASkeleton(t *testing.T) {
	for _, s := range []section{
		&OrphansConfig{}, &RetriesConfig{}, &CriticalPathConfig{ThresholdMs: ms(0)}, &FailureModeConfig{Modes: []string{"response_lost"}},
	} {
		n, err := s.Compile(nil)
		require.NoError(t, err)
		require.False(t, matches(n.Rule, &rule.Trace{}))
	}
	require.True(t, matches(AlwaysSample(nil).Rule, &rule.Trace{}))
	for n, want := range map[int]int{0: 1, 1: 1, 2: 2} {
		got, err := atLeast("min", n)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := atLeast("min", -1)
	require.EqualError(t, err, "min: -1 must not be negative")
}
