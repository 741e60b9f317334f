package tracefile

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/processor/tracestore/internal/storetest"
)

// known holds the known properties of a stored trace.
type known struct {
	number   int
	specs    []spec
	start    time.Duration
	duration time.Duration
}

// population stores random traces, some of them in two parts.
func population(b *bench, rng *rand.Rand, n int) (all []known) {
	for i := 1; i <= n; i++ {
		k := known{number: i, start: time.Duration(rng.IntN(n/2)) * time.Second} // some start at the same time
		k.duration = time.Duration(1) << rng.IntN(36)
		policy := []string{"errors", "slow", ""}[rng.IntN(3)]
		for s := range 1 + rng.IntN(4) {
			p := spec{
				Trace: i, ID: s + 1, Service: fmt.Sprint("s", rng.IntN(3)), Name: fmt.Sprint("op", rng.IntN(3)),
				Start: k.start, Failed: rng.IntN(6) == 0, Policy: policy,
			}
			if s == 0 {
				p.Duration = k.duration
			} else {
				p.Parent, p.Duration = 1, time.Duration(rng.Int64N(int64(k.duration)))>>rng.IntN(8)
			}
			if rng.IntN(8) == 0 {
				p.Link = 1 + rng.IntN(5) + 10_000
			}
			k.specs = append(k.specs, p)
		}
		all = append(all, k)
	}
	var first, second []spec
	for _, k := range all {
		cut := 1 + rng.IntN(len(k.specs))
		first, second = append(first, k.specs[:cut]...), append(second, k.specs[cut:]...)
	}
	b.storeNow(spans(first...))
	b.storeNow(spans(second...))
	return all
}

// brute returns the traces that the query must find.
func brute(all []known, q Query) (ids []int) {
	var hits []known
	for _, k := range all {
		some := func(f func(spec) bool) bool { return slices.ContainsFunc(k.specs, f) }
		at := t0.Add(k.start)
		bySpan := (q.Service != "" || q.Operation != "") && !q.AnySpan
		within := func(d time.Duration) bool {
			return (q.MinDuration == 0 || d >= q.MinDuration) && (q.MaxDuration == 0 || d <= q.MaxDuration)
		}
		if (q.Service != "" || q.Operation != "") && !some(func(p spec) bool {
			return (q.Service == "" || p.Service == q.Service) && (q.Operation == "" || p.Name == q.Operation) &&
				(!bySpan || (p.Failed || !q.Error) && within(p.Duration))
		}) ||
			q.Error && !some(func(p spec) bool { return p.Failed }) ||
			q.Policy != "" && !some(func(p spec) bool { return p.Policy == q.Policy }) ||
			!q.LinksTo.IsEmpty() && !some(func(p spec) bool { return p.Link != 0 && traceID(p.Link) == q.LinksTo }) ||
			!bySpan && !within(k.duration) ||
			!q.Start.IsZero() && at.Before(q.Start) || !q.End.IsZero() && at.After(q.End) {
			continue
		}
		hits = append(hits, k)
	}
	slices.SortFunc(hits, func(a, b known) int {
		return cmp.Or(cmp.Compare(b.start, a.start), cmp.Compare(b.number, a.number))
	})
	for _, k := range hits {
		ids = append(ids, k.number)
	}
	return ids
}

func randomQuery(rng *rand.Rand, n int) (q Query) {
	maybe := func(set func()) {
		if rng.IntN(3) == 0 {
			set()
		}
	}
	maybe(func() { q.Service = fmt.Sprint("s", rng.IntN(4)) })
	maybe(func() { q.Operation = fmt.Sprint("op", rng.IntN(4)) })
	maybe(func() { q.Error = true })
	maybe(func() { q.AnySpan = true })
	maybe(func() { q.Policy = []string{"errors", "slow", "none"}[rng.IntN(3)] })
	maybe(func() { q.LinksTo = traceID(1 + rng.IntN(5) + 10_000) })
	maybe(func() { q.MinDuration = time.Duration(rng.Int64N(1 << rng.IntN(36))) })
	maybe(func() { q.MaxDuration = time.Duration(rng.Int64N(1 << rng.IntN(36))) })
	maybe(func() { q.Start = t0.Add(time.Duration(rng.IntN(n/2)) * time.Second) })
	maybe(func() { q.End = t0.Add(time.Duration(rng.IntN(n/2)) * time.Second) })
	return q
}

// TestSearchFindsWhatAFilterWould compares the index with a filter over everything, for any combination of conditions and page
// sizes, whether traces arrived whole or in parts.
func TestSearchFindsWhatAFilterWould(t *testing.T) {
	const n = 300
	b := opened(t, nil)
	rng := rand.New(rand.NewPCG(5, 5))
	all := population(b, rng, n)
	requireConsistent(t, b, n)
	hits := 0
	for range 600 {
		q := randomQuery(rng, n)
		q.Limit = 1 + rng.IntN(MaxLimit)
		want := brute(all, q)
		require.Equal(t, want, b.found(q), "%+v", q)
		hits += len(want)
	}
	require.Greater(t, hits, 1000, "the test must not be vacuous")
}

func TestSearchLimits(t *testing.T) {
	b := opened(t, nil)
	var many []spec
	for i := range 300 {
		many = append(many, spec{Trace: i + 1, ID: 1, Service: "s"})
	}
	b.storeNow(spans(many...))
	require.Len(t, b.query(Query{}).Traces, DefaultLimit)
	require.Len(t, b.query(Query{Limit: 10_000}).Traces, MaxLimit)
	last := b.query(Query{Limit: 1, Cursor: b.query(Query{Limit: 200}).NextCursor})
	require.Len(t, last.Traces, 1)
	require.Equal(t, 100, storetest.NumberOf(last.Traces[0].TraceID), "a cursor goes on where the page ended")
}

func TestSearchOfNothing(t *testing.T) {
	b := opened(t, nil)
	r := b.query(Query{Service: "s", Error: true, MinDuration: 1})
	require.NotNil(t, r.Traces, "an empty page, not null")
	require.Empty(t, r.Traces)
	require.Empty(t, r.NextCursor)
	require.Empty(t, b.query(Query{End: time.Unix(-1, 0)}).Traces)
}

func TestSearchCursorFromElsewhere(t *testing.T) {
	b := opened(t, nil)
	for _, cursor := range []string{"?", "AAAA", "1"} {
		_, _, err := b.Search(t.Context(), Query{Cursor: cursor})
		require.ErrorIs(t, err, ErrCursor, cursor)
	}
}

// A search that runs out of steps returns what it has, and its cursor finds the rest.
func TestSearchIsBounded(t *testing.T) {
	streams := []stream{every(2), every(3)}
	var found []uint64
	at, rounds := positionOf(3*maxSteps, traceID(0)), 0
	for more := true; more; rounds++ {
		walk := intersection{streams: streams, steps: new(int), first: at}
		for {
			p, ok, done := walk.next(t.Context(), at)
			if !ok {
				at, more = p, !done
				break
			}
			found = append(found, p.start())
			if at, ok = p.before(); !ok {
				more = false
				break
			}
		}
	}
	require.Greater(t, rounds, 2)
	require.Len(t, found, maxSteps/2+1)
	for i, start := range found {
		require.Equal(t, uint64(3*maxSteps-6*i), start)
	}
}

// every is the stream of the positions whose start is a multiple.
type every uint64

func (e every) seek(at position) (position, bool) {
	start := at.start() / uint64(e) * uint64(e)
	return positionOf(start, traceID(0)), true
}

func TestPositions(t *testing.T) {
	p := positionOf(1, traceID(0))
	before, ok := p.before()
	require.True(t, ok)
	require.Equal(t, uint64(0), before.start())
	require.Negative(t, before.compare(p))
	_, ok = position{}.before()
	require.False(t, ok)
	require.Equal(t, uint64(0), unixNano(time.Unix(-5, 0)))
	require.Equal(t, ^uint64(0), unixNano(time.Date(2600, 1, 1, 0, 0, 0, 0, time.UTC)))
}

// A trace with an impossible start time is found where it was stored.
func TestStartsThatCannotBe(t *testing.T) {
	b := opened(t, nil)
	td := spans(spec{Trace: 1, ID: 1, Service: "s"}, spec{Trace: 2, ID: 1, Service: "s", Start: 24 * 365 * time.Hour})
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetStartTimestamp(0)
	b.storeNow(td)
	require.Equal(t, []int{2, 1}, b.found(Query{Start: t0.Add(-time.Minute), End: t0.Add(time.Minute)}))
}

// A search that ran out of steps before its first hit continues where it stopped.
func TestSearchForSomethingRareIsBounded(t *testing.T) {
	b := opened(t, nil)
	b.storeNow(spans(spec{Trace: 1, ID: 1, Service: "rare", Name: "op"}))
	const traces = 20
	for n := range traces {
		b.storeNow(spans(spec{Trace: n + 2, ID: 1, Service: "s", Name: "op", Start: time.Duration(n+1) * 10 * time.Second}))
	}
	for _, q := range []Query{{Service: "rare"}, {Service: "rare", MaxDuration: time.Second}, {Operation: "op", Service: "rare", Error: false}} {
		at, rounds := newest, 0
		for found := false; !found; rounds++ {
			require.NoError(t, b.view(func(tx *bbolt.Tx) error {
				r := newReading(tx)
				r.steps = maxSteps + 1
				walk := intersection{streams: q.streams(&r), steps: &r.steps, first: at}
				p, ok, done := walk.next(t.Context(), at)
				require.False(t, done)
				require.Negative(t, p.compare(at), "it gets somewhere")
				at, found = p, ok || p.id() == traceID(1)
				return nil
			}))
		}
		require.Equal(t, positionOf(uint64(t0.UnixNano()), traceID(1)), at)
		require.GreaterOrEqual(t, rounds, traces)
	}
}

// TestErrorsThroughAService: with a service, one span of it has the error and the duration. Half of the traces have an error of
// another service, or a long span of another one.
func TestErrorsThroughAService(t *testing.T) {
	b := opened(t, nil)
	const n = 400
	var first, late []spec
	for i := 1; i <= n; i++ {
		root := spec{Trace: i, ID: 1, Service: "front", Name: "GET /", Duration: time.Second, Start: time.Duration(i) * time.Second, Failed: i%2 == 0}
		cart := spec{
			Trace: i, ID: 2, Parent: 1, Service: "cart", Name: fmt.Sprint("op", i%3), Start: root.Start,
			Duration: time.Duration(i) * time.Millisecond, Failed: i%4 == 1,
		}
		if first = append(first, root); i%8 < 4 {
			first = append(first, cart)
		} else {
			late = append(late, cart)
		}
	}
	b.storeNow(spans(first...))
	b.storeNow(spans(late...))
	for name, c := range map[string]struct {
		query Query
		want  func(i int) bool
	}{
		"errors":              {Query{Service: "cart", Error: true}, func(i int) bool { return i%4 == 1 }},
		"long spans":          {Query{Service: "cart", MinDuration: 100 * time.Millisecond}, func(i int) bool { return i >= 100 }},
		"short spans":         {Query{Service: "cart", MaxDuration: 99 * time.Millisecond}, func(i int) bool { return i < 100 }},
		"long failed spans":   {Query{Service: "cart", Error: true, MinDuration: 333 * time.Millisecond}, func(i int) bool { return i%4 == 1 && i >= 333 }},
		"of an operation":     {Query{Service: "cart", Operation: "op1", Error: true}, func(i int) bool { return i%4 == 1 && i%3 == 1 }},
		"of any service":      {Query{Operation: "op2", MinDuration: 200 * time.Millisecond}, func(i int) bool { return i%3 == 2 && i >= 200 }},
		"of the whole trace":  {Query{Service: "cart", Error: true, AnySpan: true}, func(i int) bool { return i%2 == 0 || i%4 == 1 }},
		"the trace's length":  {Query{Service: "cart", MinDuration: time.Second, AnySpan: true}, func(int) bool { return true }},
		"of no service":       {Query{Error: true}, func(i int) bool { return i%2 == 0 || i%4 == 1 }},
		"an unknown service":  {Query{Service: "carts", Error: true}, func(int) bool { return false }},
		"longer than all are": {Query{Service: "cart", MinDuration: 401 * time.Millisecond}, func(int) bool { return false }},
	} {
		var want []int
		for i := n; i > 0; i-- {
			if c.want(i) {
				want = append(want, i)
			}
		}
		c.query.Limit = 7
		require.Equal(t, want, b.found(c.query), name)
	}
}
