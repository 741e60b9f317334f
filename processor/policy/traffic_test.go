package policy

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// traffic is random traces of many keys, decided by a set.
type traffic struct {
	set   *Set
	rng   *rand.Rand
	now   float64 // seconds
	views map[string]*SpanView
	read  *int // counts the traces whose spans were read
	// head, if not 0, is the share that an upstream sampler keeps.
	head float64
}

func newTraffic(t *testing.T, seed uint64, policies ...Config) *traffic {
	set, err := Compile(policies, Options{})
	require.NoError(t, err)
	return &traffic{set: set, rng: rand.New(rand.NewPCG(seed, 7)), views: map[string]*SpanView{}}
}

// view returns a root span of the name.
func (tr *traffic) view(name, state string) *SpanView {
	v := tr.views[name+state]
	if v == nil {
		v = rootSpan(name, state)
		tr.views[name+state] = v
	}
	return v
}

func rootSpan(name, state string) *SpanView {
	bytes := append([]byte(name), state...)
	return &SpanView{Bytes: bytes, Span: &wire.Span{
		ID: wire.SpanID{1}, Start: 1, End: 2,
		Name: wire.Range{End: uint32(len(name))}, TraceState: wire.Range{Off: uint32(len(name)), End: uint32(len(bytes))},
	}}
}

// next decides a trace with the key and a number of spans. arrived is false if the upstream sampler dropped it. weight is the
// adjusted count of the trace if it is kept.
func (tr *traffic) next(key string, spans int) (d Decision, weight float64, arrived bool) {
	randomness, state, head := tr.rng.Uint64N(never), "", uint64(0)
	if tr.head != 0 {
		head = threshold.OfShare(tr.head)
		if randomness < head {
			return d, 0, false
		}
		state = fmt.Sprintf("ot=th:%x", head>>44)
	}
	var id wire.TraceID
	binary.BigEndian.PutUint64(id[8:], randomness)
	trace := Trace{
		ID: id, Bits: make([]uint64, tr.set.Words()), Spans: spans, Randomness: randomness, Now: int64(tr.now * 1e9),
	}
	v := *tr.view(key, state)
	span := *v.Span
	span.TraceID = id
	v.Span = &span
	tr.set.Observe(trace.Bits, &v)
	trace.Skeleton = func() iter.Seq[SpanView] {
		if tr.read != nil {
			*tr.read++
		}
		return slices.Values(slices.Repeat([]SpanView{v}, spans))
	}
	votes := make([]Vote, tr.set.Len())
	d = tr.set.Decide(&trace, votes)
	least := never - 1
	for _, vote := range votes {
		if vote.Matched {
			least = min(least, vote.Threshold)
		}
	}
	if d.Verdict == Sampled && d.Threshold != least {
		panic("a kept trace has the least threshold of all policies, whoever looks")
	}
	return d, tracestate.Count(max(head, least)), true
}

// arrivals are traces that arrive at random with these rates by key.
type arrivals struct {
	keys  []string
	until []float64
	total float64
}

func newArrivals(rates map[string]float64) *arrivals {
	a := &arrivals{keys: slices.Sorted(maps.Keys(rates))}
	for _, key := range a.keys {
		a.total += rates[key]
		a.until = append(a.until, a.total)
	}
	return a
}

// of returns the seconds until the next trace, and its key.
func (a *arrivals) of(rng *rand.Rand) (wait float64, key string) {
	i := sort.SearchFloat64s(a.until, rng.Float64()*a.total)
	return rng.ExpFloat64() / a.total, a.keys[min(i, len(a.keys)-1)]
}

// outcome is the result for the traces of a key, in spans.
type outcome struct {
	seen, kept, estimated float64
	variance              float64 // of estimated
	traces, keptTraces    int
}

// run sends traffic for a time, with rates in traces per second by key, and returns the outcomes.
func (tr *traffic) run(rates map[string]float64, seconds float64, spans func() int) map[string]*outcome {
	got := map[string]*outcome{}
	next := newArrivals(rates)
	for end := tr.now + seconds; ; {
		wait, key := next.of(tr.rng)
		if tr.now += wait; tr.now >= end {
			tr.now = end
			return got
		}
		o := got[key]
		if o == nil {
			o = &outcome{}
			got[key] = o
		}
		n := spans()
		d, weight, arrived := tr.next(key, n)
		o.seen += float64(n)
		o.traces++
		if arrived {
			o.variance += float64(n*n) * (weight - 1) / cmp.Or(tr.head, 1)
		}
		if arrived && d.Verdict == Sampled {
			o.kept += float64(n)
			o.keptTraces++
			o.estimated += weight * float64(n)
		}
	}
}

func dynamicPolicy(cfg DynamicConfig) Config {
	cfg.Key = []string{"name"}
	return Config{Name: "dynamic", Type: Dynamic, Section: &cfg}
}

// zipf are rates of keys of which the nth has the share 1/n^s of the first.
func zipf(keys int, s, total float64) map[string]float64 {
	sum := 0.0
	for i := range keys {
		sum += math.Pow(float64(i+1), -s)
	}
	rates := map[string]float64{}
	for i := range keys {
		rates[fmt.Sprintf("key%06d", i)] = total * math.Pow(float64(i+1), -s) / sum
	}
	return rates
}

func kept(of map[string]*outcome) (kept, seen float64) {
	for _, o := range of {
		kept += o.kept
		seen += o.seen
	}
	return kept, seen
}

func upTo(n int, rng *rand.Rand) func() int { return func() int { return 1 + rng.IntN(n) } }

// The kept rate reaches the target within four intervals and stays there, whatever the distribution of keys.
func TestDynamicMeetsTarget(t *testing.T) {
	const perSecond = 4.0 * 200 // spans: traces have 4 on average
	for name, rates := range map[string]map[string]float64{
		"one key":                  {"a": 200},
		"two alike":                {"a": 100, "b": 100},
		"steep":                    zipf(1000, 2, 200),
		"Zipf":                     zipf(1000, 1, 200),
		"flat":                     zipf(300, 0, 200),
		"more keys than intervals": zipf(20_000, 1, 200),
	} {
		for _, share := range []float64{0.01, 0.1, 0.5} {
			targets := []DynamicConfig{{SpansPerSecond: share * perSecond}}
			if share == 0.1 {
				targets = append(targets, DynamicConfig{SamplingPercentage: 100 * share})
			}
			for _, cfg := range targets {
				t.Run(fmt.Sprintf("%s/%g percent/%g a second", name, cfg.SamplingPercentage, cfg.SpansPerSecond), func(t *testing.T) {
					tr := newTraffic(t, 1, dynamicPolicy(cfg))
					spans := upTo(7, tr.rng)
					tr.run(rates, 4*15, spans)
					got, _ := kept(tr.run(rates, 20*15, spans))
					require.InEpsilon(t, share*perSecond*20*15, got, 0.15, "%g", got)
				})
			}
		}
	}
}

// At first all may be kept, but far too much only briefly. A surge is answered as fast.
func TestDynamicIsBounded(t *testing.T) {
	for _, times := range []float64{10, 100, 1000} {
		tr := newTraffic(t, 2, dynamicPolicy(DynamicConfig{SpansPerSecond: 10}))
		one := func() int { return 1 }
		got, _ := kept(tr.run(map[string]float64{"a": 10 * times}, 15, one))
		require.Less(t, got, 10*15*4.0, "%g times the target at the start", times)
		tr.run(map[string]float64{"a": 10}, 300, one)
		got, _ = kept(tr.run(map[string]float64{"a": 10 * times}, 15, one))
		require.Less(t, got, 10*15*6.0, "a surge to %g times", times)
		got, _ = kept(tr.run(map[string]float64{"a": 10, "b": 10 * times}, 15, one))
		require.Less(t, got, 10*15*6.0, "a new key with %g times", times)
	}
}

// An endless stream of keys that occur once does not bypass the target.
func TestDynamicKeysWithoutEnd(t *testing.T) {
	for _, maxKeys := range []int{100, 0} {
		cfg := DynamicConfig{SpansPerSecond: 10}
		cfg.MaxKeys = maxKeys
		tr := newTraffic(t, 3, dynamicPolicy(cfg))
		sampled := 0
		for i := range 100 * 300 { // a hundred a second
			tr.now += 0.01
			d, _, _ := tr.next(fmt.Sprint("key", i), 1)
			clear(tr.views)
			if i >= 100*60 && d.Verdict == Sampled {
				sampled++
			}
		}
		require.InEpsilon(t, 10*240, sampled, 0.15)
	}
}

// The rarer a key, the larger its kept share, up to all; the more frequent a key, the more of its traces are kept.
func TestDynamicKeepsRareKeysWhole(t *testing.T) {
	tr := newTraffic(t, 4, dynamicPolicy(DynamicConfig{SpansPerSecond: 50}))
	rates := zipf(1000, 1.5, 500)
	one := func() int { return 1 }
	tr.run(rates, 120, one)
	got := tr.run(rates, 600, one)
	var rare outcome
	for key, o := range got {
		if rates[key] < 0.02 {
			rare.seen, rare.kept = rare.seen+o.seen, rare.kept+o.kept
		}
	}
	require.Greater(t, rare.seen, 1000.0)
	require.Greater(t, rare.kept, 0.98*rare.seen)
	require.Greater(t, got["key000000"].kept, got["key000003"].kept)
}

// Law 4: by their thresholds the kept traces add up to all traces, for every key, with and without an upstream sampler, and with
// other policies that depend on earlier traces.
func TestDynamicIsUnbiased(t *testing.T) {
	for _, head := range []float64{0, 0.25} {
		dynamic := dynamicPolicy(DynamicConfig{SamplingPercentage: 5})
		others := append(diversityPolicies(20*time.Second), dynamic, Config{Name: "rare", Type: Rare, Section: &RareConfig{
			Traces: 3, Period: time.Minute, KeyConfig: KeyConfig{Key: []string{"name"}},
		}})
		tr := newTraffic(t, 5, others...)
		tr.head = head
		got := tr.run(zipf(50, 1, 300), 300, upTo(5, tr.rng))
		for key, o := range got {
			require.InDelta(t, o.seen, o.estimated, 5*math.Sqrt(o.variance)+1, "%s of %g with others", key, head)
		}
		tr = newTraffic(t, 5, dynamic)
		tr.head = head
		rates := zipf(50, 1, 300)
		spans := upTo(5, tr.rng)
		tr.run(rates, 60, spans)
		got = tr.run(rates, 600, spans)
		var all outcome
		for key, o := range got {
			require.InDelta(t, o.seen, o.estimated, 5*math.Sqrt(o.variance)+1, "%s of %g", key, head)
			all.seen, all.estimated, all.variance = all.seen+o.seen, all.estimated+o.estimated, all.variance+o.variance
			all.kept += o.kept
		}
		require.InDelta(t, all.seen, all.estimated, 3*math.Sqrt(all.variance))
		require.InEpsilon(t, 0.05*all.seen, all.kept, 0.15, "the percentage is of all there were")
	}
}

// With a long period, rare samples the first traces of each key, whatever their randomness, and never more than configured.
func TestRareSamplesTheFirst(t *testing.T) {
	tr := newTraffic(t, 6, Config{Name: "rare", Type: Rare, Section: &RareConfig{
		Traces: 3, Period: 10 * time.Second, KeyConfig: KeyConfig{Key: []string{"name"}},
	}})
	rates := zipf(300, 1, 100)
	for key, o := range tr.run(rates, 9.9, func() int { return 1 }) {
		require.Equal(t, min(3, o.traces), o.keptTraces, key)
	}
	for key, o := range tr.run(rates, 100, func() int { return 1 }) {
		require.LessOrEqual(t, o.keptTraces, 3*11, key)
	}
}

// A set that inherits decides as the old one would have.
func TestInherit(t *testing.T) {
	policies := func() []Config {
		return []Config{
			dynamicPolicy(DynamicConfig{SpansPerSecond: 20}),
			{Name: "and", Type: And, Section: &AndConfig{SubPolicies: []Config{
				{Type: Probabilistic, Section: &ProbabilisticConfig{SamplingPercentage: 50}},
				{Type: Rare, Section: &RareConfig{KeyConfig: KeyConfig{Key: []string{"name"}}}},
			}}},
		}
	}
	rates, one := zipf(20, 1, 200), func() int { return 1 }
	straight, reloaded := newTraffic(t, 8, policies()...), newTraffic(t, 8, policies()...)
	straight.run(rates, 100, one)
	reloaded.run(rates, 100, one)
	next, err := Compile(append([]Config{stringIs("first", "a", "b")}, policies()...), Options{})
	require.NoError(t, err)
	next.Inherit(reloaded.set)
	reloaded.set = next
	want, got := straight.run(rates, 100, one), reloaded.run(rates, 100, one)
	require.Equal(t, want, got)

	changed := policies()
	changed[0].Section.(*DynamicConfig).SpansPerSecond = 21
	other, err := Compile(changed, Options{})
	require.NoError(t, err)
	other.Inherit(next)
	busiest := func(set *Set, policy int) Vote {
		bits, votes := make([]uint64, set.Words()), make([]Vote, set.Len())
		set.Observe(bits, straight.view("key000000", ""))
		set.all.decide(&Trace{Bits: bits, Spans: 1}, 0, votes)
		return votes[policy]
	}
	require.Zero(t, busiest(other, 0).Threshold, "of another configuration")
	require.NotZero(t, busiest(next, 1).Threshold, "which stays as it is")
}

// A trace's key is readable.
func TestKeyText(t *testing.T) {
	cfg := Config{Name: "rare", Type: Rare, Section: &RareConfig{KeyConfig: KeyConfig{
		Key: []string{"service.name", "name", "status", "port", "up", "load"}, MaxKeys: 4,
	}}}
	set, err := Compile([]Config{cfg, {Name: "all", Type: AlwaysSample}}, Options{})
	require.NoError(t, err)
	observe := func(name, status string) *Trace {
		views := testBlock{Spans: []testSpan{
			{ID: 9, Parent: 1, Status: status, Attributes: map[string]any{"port": 1}},
			{ID: 1, Name: name, Resource: map[string]any{"service.name": "cart"}, Attributes: map[string]any{"port": 80, "up": true, "load": 0.5}},
		}}.views(t)
		return &Trace{Bits: eachInTurn(set, views)}
	}
	first := observe("GET /", "ERROR")
	require.Equal(t, "cart, GET /, error, 80, true, 0.5", set.Key(0, first))
	require.Equal(t, "cart, POST /, ok, 80, true, 0.5", set.Key(0, observe("POST /", "")))
	require.Empty(t, set.Key(1, first))
	require.Empty(t, set.Key(None, first))
	for i := range 10 {
		observe(fmt.Sprint(i), "")
		require.NotEmpty(t, set.Key(0, observe("POST /", "")), "in use")
	}
	require.Empty(t, set.Key(0, first), "forgotten")

	for i := range 5 {
		last := observe(fmt.Sprint("kept ", i), "")
		last.Spans = 1
		set.Decide(last, nil)
		want := fmt.Sprintf("cart, kept %d, ok, 80, true, 0.5", i)
		if i == 4 {
			want = OtherKey
		}
		require.Equal(t, want, set.Key(0, last))
	}
}
