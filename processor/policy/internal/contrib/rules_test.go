package contrib

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

const second = int64(time.Second)

func matches(r rule.Rule, t *rule.Trace) bool {
	_, ok := r.Match(t)
	return ok
}

// A bucket fills at its rate up to its burst, and a trace passes if its whole cost fits.
func TestBucket(t *testing.T) {
	b := NewBucket(10, 30, false)
	at := func(now int64, spans int) *rule.Trace { return &rule.Trace{Now: now, Spans: spans, Bytes: 1000} }
	require.True(t, matches(b, at(0, 30)))
	require.False(t, matches(b, at(100*second, 31)), "never if it is larger")
	b.Count(at(2*second, 30), false)
	require.False(t, matches(b, at(2*second, 1)))
	require.True(t, matches(b, at(2*second, 0)))
	require.False(t, matches(b, at(3*second-1, 10)))
	require.True(t, matches(b, at(3*second, 10)))
	require.False(t, matches(b, at(3*second, 11)))
	b.Count(at(second, 5), true) // its decision is late
	require.Equal(t, -5.0, b.level)
	require.Equal(t, 2*time.Second, b.at)

	bytes := NewBucket(10, 30, true)
	require.False(t, matches(bytes, at(0, 1)))
	require.True(t, matches(bytes, &rule.Trace{Bytes: 30, Spans: 1000}))

	other := NewBucket(10, 30, false)
	other.Inherit(b)
	require.Equal(t, b, other)
}

// A room holds a number of spans in each second.
func TestRoom(t *testing.T) {
	r := &room{spans: 10}
	at := func(now int64, spans int) *rule.Trace { return &rule.Trace{Now: now, Spans: spans} }
	require.True(t, matches(r, at(second, 10)))
	require.False(t, matches(r, at(second, 11)))
	r.Count(at(second, 4), true)
	require.True(t, matches(r, at(2*second-1, 6)))
	require.False(t, matches(r, at(2*second-1, 7)))
	r.Count(at(2*second-1, 6), true)
	require.False(t, matches(r, at(2*second-1, 1)))
	require.True(t, matches(r, at(2*second, 10)))
	other := &room{spans: 10}
	other.Inherit(r)
	require.Equal(t, r, other)
}

// part is a rule that counts, with a threshold of its own.
type part struct {
	threshold uint64
	ok        bool
	counted   []bool // whether the trace was sampled
}

func (p *part) Match(*rule.Trace) (uint64, bool)  { return p.threshold, p.ok }
func (p *part) Count(_ *rule.Trace, sampled bool) { p.counted = append(p.counted, sampled) }

func nodesOf(traits rule.Traits, parts ...*part) (nodes []rule.Node) {
	for _, p := range parts {
		nodes = append(nodes, rule.Node{Rule: p, Traits: traits})
	}
	return nodes
}

// Parts are asked in turn, and counted up to the first that does not sample the trace.
func TestSequence(t *testing.T) {
	for name, c := range map[string]struct {
		parts   []*part
		th      uint64
		ok      bool
		counted [3][]bool
	}{
		"all sample":      {[]*part{{5, true, nil}, {9, true, nil}, {7, true, nil}}, 9, true, [3][]bool{{true}, {true}, {true}}},
		"the last is not": {[]*part{{5, true, nil}, {9, true, nil}, {0, false, nil}}, threshold.Never, true, [3][]bool{{true}, {true}, nil}},
		"the first":       {[]*part{{0, false, nil}, {9, true, nil}, {0, true, nil}}, threshold.Never, true, [3][]bool{}},
		"by chance":       {[]*part{{10, true, nil}, {11, true, nil}, {0, true, nil}}, 11, true, [3][]bool{{true}, {false}, nil}},
	} {
		trace := &rule.Trace{Randomness: 10}
		s := NewSequence(nodesOf(rule.Counts, c.parts...))
		th, ok := s.Match(trace)
		require.Equal(t, c.th, th, name)
		require.Equal(t, c.ok, ok, name)
		s.Count(trace, false)
		for i, p := range c.parts {
			require.Equal(t, c.counted[i], p.counted, "%s: %d", name, i)
		}
		if c.th == threshold.Never {
			_, ok = NewSequence(nodesOf(rule.Monotone, c.parts...)).Match(trace)
			require.False(t, ok, "%s: nobody is to be told", name)
		}
	}
	mixed := append(nodesOf(0, &part{0, false, nil}), nodesOf(rule.Counts, &part{})...)
	_, ok := NewSequence(mixed).Match(&rule.Trace{})
	require.True(t, ok, "one counts")
}

// The first part that samples a trace decides, if there is room for it.
func TestComposite(t *testing.T) {
	no, unlucky, first, last := &part{0, false, nil}, &part{11, true, nil}, &part{10, true, nil}, &part{0, true, nil}
	nodes := nodesOf(rule.Counts, no, unlucky, first, last)
	parts := []Part{{Name: "no", Node: nodes[0]}, {Name: "unlucky", Node: nodes[1], Percent: 50}, {Name: "first", Node: nodes[2]},
		{Name: "last", Node: nodes[3], Percent: 200}}
	n := Composite(20, parts)
	require.Equal(t, []string{"no", "unlucky", "first", "last"}, n.Split.Names())
	require.Len(t, n.Parts, 8)
	for i, want := range []int64{5, 10, 5, 20} {
		require.Equal(t, nodes[i], n.Parts[2*i])
		require.Equal(t, &room{spans: want}, n.Parts[2*i+1].Rule)
		require.Equal(t, rule.Counts|rule.Weightless, n.Parts[2*i+1].Traits)
	}
	trace := &rule.Trace{Randomness: 10, Spans: 3}
	require.Equal(t, 2, n.Split.Sampler(trace, 10))
	require.Equal(t, 1, n.Split.Sampler(trace, 11))
	require.Equal(t, 3, n.Split.Sampler(trace, 9))
	th, ok := n.Rule.Match(trace)
	require.Zero(t, th)
	require.True(t, ok)

	counting := n.Rule.(rule.Counting)
	counting.Count(trace, true)
	require.Nil(t, no.counted)
	require.Equal(t, []bool{false}, unlucky.counted)
	require.Equal(t, []bool{true}, first.counted)
	require.Nil(t, last.counted)
	require.Equal(t, &room{spans: 5, sampled: 3}, n.Parts[5].Rule)

	require.Equal(t, rule.None, n.Split.Sampler(trace, 10), "there is no room, and the next is not asked")
	th, ok = n.Rule.Match(trace)
	require.Equal(t, threshold.Never, th)
	require.True(t, ok)
	counting.Count(trace, true)
	require.Equal(t, []bool{true, true}, first.counted, "its own limits are charged")
	require.Nil(t, last.counted)
	require.Equal(t, &room{spans: 5, sampled: 3}, n.Parts[5].Rule)

	require.Equal(t, rule.None, Composite(20, parts[:1]).Split.Sampler(trace, 10))
	require.Equal(t, &room{spans: 20}, Composite(20, parts[:1]).Parts[1].Rule)
}

// The duration of the spans so far is compared with the bounds after each span, in whole milliseconds.
func TestLatency(t *testing.T) {
	span := func(start, end time.Duration) policytest.Span { return policytest.Span{Start: start, End: end} }
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		over, upTo int64
		spans      []policytest.Span
		want       bool
	}{
		"over":              {10, 0, []policytest.Span{span(0, 11*ms)}, true},
		"just so much":      {10, 0, []policytest.Span{span(0, 11*ms-1)}, false},
		"from the earliest": {10, 0, []policytest.Span{span(5*ms, 6*ms), span(0, ms), span(8*ms, 11*ms)}, true},
		"to the latest":     {10, 0, []policytest.Span{span(0, 11*ms), span(ms, 2*ms)}, true},
		"between":           {10, 20, []policytest.Span{span(0, 20*ms)}, true},
		"rounded down":      {10, 20, []policytest.Span{span(0, 21*ms-1)}, true},
		"too long":          {10, 20, []policytest.Span{span(0, 21*ms)}, false},
		"long afterwards":   {10, 20, []policytest.Span{span(0, 11*ms), span(0, 99*ms)}, true},
	} {
		b := ask.NewBuilder(true)
		bit := Latency(b, c.over, c.upTo)
		require.Equal(t, bit, Latency(b, c.over, c.upTo))
		require.NotEqual(t, bit, Latency(b, c.over, c.upTo+1))
		require.Len(t, b.Observers(), 2)
		q := b.Build()
		bits := make([]uint64, b.Words())
		for _, v := range policytest.Views(t, c.spans...) {
			q.Observe(bits, &v, nil)
		}
		require.Equal(t, c.want, rule.IsSet(bits, bit), name)
	}
}

func value(t *testing.T, v any) wire.Value {
	got, ok := wire.SpanAttribute(policytest.Views(t, policytest.Span{Attributes: map[string]any{"a": v}})[0].Body, "a")
	require.True(t, ok)
	return got
}

// A value of another type counts as 0, or as false.
func TestValues(t *testing.T) {
	for _, c := range []struct {
		value any
		want  bool
	}{{1, false}, {2, true}, {3, true}, {5, true}, {6, false}, {3.0, false}, {"3", false}} {
		require.Equal(t, c.want, AnyNumber{2, 5}.Holds(value(t, c.value)), c.value)
	}
	require.True(t, AnyNumber{0, 5}.Holds(value(t, "x")))
	for _, c := range []struct {
		value any
		want  bool
	}{{true, true}, {false, false}, {"true", false}, {1, false}} {
		require.Equal(t, c.want, AnyBool(true).Holds(value(t, c.value)), c.value)
		require.Equal(t, !c.want, AnyBool(false).Holds(value(t, c.value)), c.value)
	}
	require.Nil(t, UnlessZero(nil))
	require.Nil(t, UnlessZero(new(int64)))
	one := int64(1)
	require.Same(t, &one, UnlessZero(&one))
}

// is matches strings equal to any of these.
type is []string

func (p is) Holds(v wire.Value) bool {
	for _, s := range p {
		if string(v.Bytes()) == s {
			return true
		}
	}
	return false
}

func TestExpressions(t *testing.T) {
	for _, c := range []struct {
		span         policytest.Span
		matchesEmpty bool
		want         bool
	}{
		{policytest.Span{Attributes: map[string]any{"a": "x"}}, false, true},
		{policytest.Span{Attributes: map[string]any{"a": ""}}, true, false},
		{policytest.Span{Attributes: map[string]any{"a": 1}}, true, false},
		{policytest.Span{Resource: map[string]any{"a": "x"}}, false, true},
		{policytest.Span{Resource: map[string]any{"a": "y"}}, true, false},
		{policytest.Span{Resource: map[string]any{"a": ""}}, true, true},
		{policytest.Span{Resource: map[string]any{"a": ""}}, false, false},
		{policytest.Span{Resource: map[string]any{"a": 1}}, true, true},
		{policytest.Span{Resource: map[string]any{"b": 1}}, true, false},
	} {
		b := ask.NewBuilder(true)
		n := Expressions(b, "a", "question", is{"x", ""}, c.matchesEmpty, false)
		inverted := Expressions(b, "a", "question", is{"x", ""}, c.matchesEmpty, true)
		require.Zero(t, n.Not)
		require.Equal(t, rule.Monotone, inverted.Not)
		q := b.Build()
		bits := make([]uint64, b.Words())
		v := policytest.Views(t, c.span)[0]
		q.Observe(bits, &v, nil)
		q.Resource(bits, v.Resource)
		require.Equal(t, c.want, matches(n.Rule, &rule.Trace{Bits: bits}), "%+v", c)
		th, ok := inverted.Rule.Match(&rule.Trace{Bits: bits})
		require.Equal(t, !c.want, ok, "%+v", c)
		require.Zero(t, th)
	}
}

type always bool

func (a always) Holds(*rule.SpanView) bool { return bool(a) }

func TestValidTraceState(t *testing.T) {
	for state, want := range map[string]bool{"a=1": true, "a=1,b=2": true, "a=1,B=2": false, "a=1,a=2": false} {
		v := policytest.Views(t, policytest.Span{TraceState: state})[0]
		require.Equal(t, want, ValidTraceState{always(true)}.Holds(&v), state)
		require.False(t, ValidTraceState{always(false)}.Holds(&v), state)
	}
}
