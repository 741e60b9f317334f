package stateful

import (
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
	"github.com/slowburn/slowburn/processor/policy/internal/rates"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

const second = int64(time.Second)

type section interface {
	Compile(b *ask.Builder) (rule.Node, error)
}

// compiled returns the rule of a section, and a function that shows it a trace of one root span with the name.
func compiled(t *testing.T, s section) (rule.Stateful, func(name string, now int64) *rule.Trace) {
	b := ask.NewBuilder(false)
	n, err := s.Compile(b)
	require.NoError(t, err)
	require.Zero(t, n.Not)
	q := b.Build()
	return n.Rule.(rule.Stateful), func(name string, now int64) *rule.Trace {
		views := policytest.Views(t, policytest.Span{Name: name})
		bits := make([]uint64, b.Words())
		q.Observe(bits, &views[0], nil)
		return &rule.Trace{Bits: bits, Spans: 1, Now: now, Skeleton: func() iter.Seq[rule.SpanView] { return slices.Values(views) }}
	}
}

func matches(r rule.Rule, t *rule.Trace) bool {
	_, ok := r.Match(t)
	return ok
}

// rare samples a number of traces of each key, and remembers the keys.
func TestRare(t *testing.T) {
	cfg := &RareConfig{Traces: 2, Period: time.Minute, KeyConfig: KeyConfig{Key: []string{"name"}, MaxKeys: 2}}
	r, show := compiled(t, cfg)
	r.Count(show("a", 1), false)
	r.Count(show("a", 1), true)
	require.True(t, matches(r, show("a", 1)), "what was not sampled does not count")
	r.Count(show("a", 1), true)
	require.False(t, matches(r, show("a", 60*second)))
	require.True(t, matches(r, show("a", 1+60*second)))
	require.True(t, matches(r, show("b", 1)))

	key, own := r.(rule.Keyed).Key(show("a", 1))
	require.Equal(t, "a", key)
	require.True(t, own)
	r.Count(show("b", 1), true)
	key, own = r.(rule.Keyed).Key(show("c", 1))
	require.Empty(t, key)
	require.False(t, own)

	next, showNext := compiled(t, cfg)
	next.Inherit(r)
	require.False(t, matches(next, showNext("a", 1)))
	next.Count(showNext("b", 1), true)
	require.False(t, matches(next, showNext("b", 1)))
	require.True(t, matches(r, show("b", 1)), "the old one stays as it is")
}

func TestDefaults(t *testing.T) {
	r, _ := compiled(t, &RareConfig{})
	require.Equal(t, 1, r.(*rare).traces)
	require.Equal(t, []string{"service.name", "name"}, r.(*rare).key.fields)
	require.Equal(t, rates.NewPeriods(15*60*second, 10_000), r.(*rare).seen)
	d, _ := compiled(t, &DynamicConfig{SpansPerSecond: 7})
	require.Equal(t, []string{"service.name", "name", "status"}, d.(*dynamic).key.fields)
	require.Equal(t, rates.NewDynamic(rates.Target{PerSecond: 7, Interval: 15, Weight: 0.5, MaxKeys: 10_000}), d.(*dynamic).rates)
	d, _ = compiled(t, &DynamicConfig{
		SamplingPercentage: 20, AdjustmentInterval: time.Minute, Weight: 0.1, KeyConfig: KeyConfig{Key: []string{"x"}, MaxKeys: 5},
	})
	require.Equal(t, []string{"x"}, d.(*dynamic).key.fields)
	require.Equal(t, rates.NewDynamic(rates.Target{Share: 0.2, Interval: 60, Weight: 0.1, MaxKeys: 5}), d.(*dynamic).rates)
}

// Settings are accepted up to their limits, and not beyond.
func TestLimitsOfSettings(t *testing.T) {
	for _, c := range []struct {
		section section
		valid   bool
	}{
		{&RareConfig{Traces: -1}, false}, {&RareConfig{Traces: 1}, true},
		{&RareConfig{Period: -1}, false}, {&RareConfig{Period: 1}, true},
		{&RareConfig{Period: 30 * 24 * time.Hour}, true}, {&RareConfig{Period: 30*24*time.Hour + 1}, false},
		{&RareConfig{KeyConfig: KeyConfig{MaxKeys: -1}}, false}, {&RareConfig{KeyConfig: KeyConfig{MaxKeys: 1}}, true},
		{&RareConfig{KeyConfig: KeyConfig{MaxKeys: 1_000_000}}, true}, {&RareConfig{KeyConfig: KeyConfig{MaxKeys: 1_000_001}}, false},
		{&RareConfig{KeyConfig: KeyConfig{Key: []string{"a", ""}}}, false}, {&RareConfig{KeyConfig: KeyConfig{Key: []string{"a", "a"}}}, false},
		{&DiversityConfig{Period: -1}, false}, {&DiversityConfig{MaxKeys: -1}, false}, {&DiversityConfig{Period: 1, MaxKeys: 1}, true},
		{&DynamicConfig{}, false}, {&DynamicConfig{SpansPerSecond: 1, SamplingPercentage: 1}, false}, {&DynamicConfig{SpansPerSecond: -1}, false},
		{&DynamicConfig{SpansPerSecond: 0.001}, true}, {&DynamicConfig{SamplingPercentage: 100}, true}, {&DynamicConfig{SamplingPercentage: 100.1}, false},
		{&DynamicConfig{SamplingPercentage: -1}, false}, {&DynamicConfig{SamplingPercentage: 1e-15}, false},
		{&DynamicConfig{SpansPerSecond: 1, AdjustmentInterval: time.Second}, true}, {&DynamicConfig{SpansPerSecond: 1, AdjustmentInterval: time.Second - 1}, false},
		{&DynamicConfig{SpansPerSecond: 1, AdjustmentInterval: time.Hour}, true}, {&DynamicConfig{SpansPerSecond: 1, AdjustmentInterval: time.Hour + 1}, false},
		{&DynamicConfig{SpansPerSecond: 1, Weight: 0.001}, true}, {&DynamicConfig{SpansPerSecond: 1, Weight: 0.0009}, false},
		{&DynamicConfig{SpansPerSecond: 1, Weight: 0.999}, true}, {&DynamicConfig{SpansPerSecond: 1, Weight: 1}, false},
		{&RateLimitingConfig{SpansPerSecond: 1}, true}, {&RateLimitingConfig{}, false}, {&RateLimitingConfig{SpansPerSecond: 1, BurstCapacity: -1}, false},
		{&BytesLimitingConfig{BytesPerSecond: 1, BurstCapacity: 1}, true}, {&BytesLimitingConfig{}, false},
	} {
		_, err := c.section.Compile(ask.NewBuilder(false))
		require.Equal(t, c.valid, err == nil, "%+v: %v", c.section, err)
	}
}

// dynamic counts the spans of its keys, at least one per trace, and sets their thresholds.
func TestDynamic(t *testing.T) {
	cfg := &DynamicConfig{SpansPerSecond: 10, KeyConfig: KeyConfig{Key: []string{"name"}, MaxKeys: 1}}
	d, show := compiled(t, cfg)
	trace := func(name string, now int64, spans int) *rule.Trace {
		tr := show(name, now)
		tr.Spans = spans
		return tr
	}
	d.Count(trace("a", 0, 0), false)
	d.Count(trace("a", 0, 500), true)
	th, ok := d.Match(trace("a", 0, 1))
	require.True(t, ok)
	require.NotZero(t, th)

	want := rates.NewDynamic(rates.Target{PerSecond: 10, Interval: 15, Weight: 0.5, MaxKeys: 1})
	hash := d.(*dynamic).key.of(trace("a", 0, 1))
	want.Add(hash, 0, 1, 1)
	want.Add(hash, 0, 500, 1)
	require.Equal(t, want, d.(*dynamic).rates)

	key, own := d.(rule.Keyed).Key(trace("a", 0, 1))
	require.Equal(t, "a", key)
	require.True(t, own)
	key, own = d.(rule.Keyed).Key(trace("b", 0, 1))
	require.Empty(t, key)
	require.False(t, own)

	next, showNext := compiled(t, cfg)
	next.Inherit(d)
	got, _ := next.Match(showNext("a", 0))
	require.Equal(t, th, got)
	next.Count(showNext("a", 0), true)
	require.Equal(t, want, d.(*dynamic).rates, "the old one stays as it is")
}

// diversity matches a trace with an operation of which none was kept.
func TestDiversity(t *testing.T) {
	cfg := &DiversityConfig{Period: 800 * time.Nanosecond}
	d, show := compiled(t, cfg)
	d.Count(show("a", 1), true)
	require.True(t, matches(d, show("a", 1)), "to count is not to keep")
	d.(rule.KeptObserver).Kept(show("a", 1))
	require.False(t, matches(d, show("a", 2)))
	require.True(t, matches(d, show("b", 2)))
	for _, now := range []int64{50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 700, 750, 800} {
		require.False(t, matches(d, show("a", now)), now)
	}
	require.True(t, matches(d, show("a", 801)))

	next, showNext := compiled(t, cfg)
	d.(rule.KeptObserver).Kept(show("c", 900))
	next.Inherit(d)
	require.False(t, matches(next, showNext("c", 901)))
	require.True(t, matches(next, showNext("b", 901)))

	unread := show("new", 901)
	unread.Skeleton = nil
	require.False(t, matches(d, unread))
	d.(rule.KeptObserver).Kept(unread)
	require.True(t, matches(d, show("new", 901)))
}

// Operations are those of spans that enter a service.
func TestWhichSpansEnter(t *testing.T) {
	b := ask.NewBuilder(false)
	n, err := (&DiversityConfig{}).Compile(b)
	require.NoError(t, err)
	q := b.Build()
	d := n.Rule.(*diversity)
	for _, c := range []struct {
		span policytest.Span
		want bool
	}{
		{policytest.Span{}, true}, {policytest.Span{Parent: 9}, false}, {policytest.Span{Parent: 9, Kind: "server"}, true},
		{policytest.Span{Parent: 9, Kind: "consumer"}, true}, {policytest.Span{Parent: 9, Kind: "client"}, false},
		{policytest.Span{Kind: "client"}, true}, {policytest.Span{Parent: 9, Kind: "producer"}, false},
	} {
		c.span.Name = fmt.Sprintf("%+v", c.span)
		views := policytest.Views(t, c.span)
		bits := make([]uint64, b.Words())
		q.Observe(bits, &views[0], nil)
		trace := func() *rule.Trace {
			return &rule.Trace{Bits: bits, Spans: 1, Now: 1, Skeleton: func() iter.Seq[rule.SpanView] { return slices.Values(views) }}
		}
		require.Equal(t, c.want, rule.IsSet(bits, d.new), "%+v", c.span)
		require.Equal(t, c.want, matches(d, trace()), "%+v", c.span)
		d.Kept(trace())
		require.False(t, matches(d, trace()), "%+v", c.span)
		clear(bits)
		q.Observe(bits, &views[0], nil)
		require.False(t, rule.IsSet(bits, d.new), "it is covered, so that the trace need not be read")
	}
	require.NotEqual(t, operation(1, 2), operation(2, 1))
	require.Greater(t, operation(0, 0), uint64(rates.OtherOperation))
}

// Two policies of a set cover operations independently.
func TestDiversitiesAreApart(t *testing.T) {
	b := ask.NewBuilder(false)
	one, err := (&DiversityConfig{}).Compile(b)
	require.NoError(t, err)
	two, err := (&DiversityConfig{}).Compile(b)
	require.NoError(t, err)
	require.NotEqual(t, one.Rule.(*diversity).new, two.Rule.(*diversity).new)
}

// If the coverage is uncertain a trace is read, though its spans showed no new operation; its operations are then covered.
func TestDiversityIsUnsureAfterAPause(t *testing.T) {
	d, show := compiled(t, &DiversityConfig{Period: 800 * time.Nanosecond})
	d.(rule.KeptObserver).Kept(show("a", 1))
	old := show("a", 2) // observed while its operation is covered
	old.Now = 10_000
	require.True(t, matches(d, old))
	require.True(t, old.IsLinked())
	d.(rule.KeptObserver).Kept(old)
	require.False(t, matches(d, show("a", 10_001)))
}

// A limit counts sampled spans or bytes, with a default burst of two seconds.
func TestLimit(t *testing.T) {
	for _, c := range []struct {
		section     section
		cost, burst float64
	}{
		{&RateLimitingConfig{SpansPerSecond: 100}, 7, 200}, {&RateLimitingConfig{SpansPerSecond: 100, BurstCapacity: 50}, 7, 50},
		{&BytesLimitingConfig{BytesPerSecond: 100}, 900, 200}, {&BytesLimitingConfig{BytesPerSecond: 100, BurstCapacity: 1}, 900, 1},
	} {
		l, _ := compiled(t, c.section)
		want := rates.NewLimiter(100, c.burst)
		require.Equal(t, want, l.(*Limit).limiter)
		trace := &rule.Trace{Spans: 7, Bytes: 900, Now: 5}
		l.Count(trace, false)
		require.Equal(t, want, l.(*Limit).limiter)
		l.Count(trace, true)
		want.Take(c.cost, 5)
		require.Equal(t, want, l.(*Limit).limiter)
		th, ok := l.Match(trace)
		require.True(t, ok)
		require.Equal(t, want.Threshold(c.cost, 5), th)
		next, _ := compiled(t, c.section)
		next.Inherit(l)
		require.Equal(t, l, next)
	}
	n, err := (&RateLimitingConfig{SpansPerSecond: 100, BurstCapacity: 50}).Compile(ask.NewBuilder(true))
	require.NoError(t, err)
	_, ok := n.Rule.Match(&rule.Trace{Spans: 50})
	require.True(t, ok)
	_, ok = n.Rule.Match(&rule.Trace{Spans: 51})
	require.False(t, ok)
	n, err = (&BytesLimitingConfig{BytesPerSecond: 100}).Compile(ask.NewBuilder(true))
	require.NoError(t, err)
	_, ok = n.Rule.Match(&rule.Trace{Bytes: 200, Spans: 999})
	require.True(t, ok)
	_, ok = n.Rule.Match(&rule.Trace{Bytes: 201})
	require.False(t, ok)
}
