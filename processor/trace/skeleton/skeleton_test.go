package skeleton

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
)

// skeletonOf links a copy of the spans.
func skeletonOf(spans ...Span) *Skeleton {
	k := &Skeleton{Spans: slices.Clone(spans)}
	k.Link()
	return k
}

func everySpan(*Span) bool { return true }

// randomSkeleton has spans whose parents precede them, are missing, or are themselves, and sometimes two spans with equal IDs.
func randomSkeleton(rng *rand.Rand) (spans []Span) {
	for i := range 1 + rng.IntN(30) {
		start := rng.Uint64N(1000)
		s := Span{
			ID: uint64(i + 1), Parent: rng.Uint64N(uint64(i + 2)), Service: rng.Uint64N(3), Name: rng.Uint64N(3),
			Start: start, End: start + rng.Uint64N(500) - 20, Kind: rng.Int32N(6), Status: rng.Int32N(3),
		}
		if rng.IntN(10) == 0 {
			s.Parent = 999
		}
		if i > 0 && rng.IntN(10) == 0 {
			s.ID = spans[rng.IntN(i)].ID
		}
		if s.Kind == wire.KindClient && s.failed() {
			s.Failure = Evidence{Code: []int32{0, 404, 500, 503}[rng.IntN(4)], Reason: Reason(rng.IntN(3)), Peer: rng.IntN(2) == 0}
		}
		spans = append(spans, s)
	}
	return spans
}

type answers struct {
	orphans, roots, retries int
	modes                   FailureModes
	path, part              uint64
}

func answersOf(k *Skeleton) answers {
	return answers{
		orphans: k.Orphans(), roots: k.Roots(), path: k.CriticalPath(everySpan), retries: k.Retries(), modes: k.FailureModes(),
		part: k.CriticalPath(func(s *Span) bool { return s.Service == 1 }),
	}
}

// In any order, with repeated spans, reused memory and repeated calls, the answers are the same. The critical path is as long as
// its root.
func TestSkeletonProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	used := &Skeleton{}
	var seen FailureModes
	for range 3000 {
		spans := randomSkeleton(rng)
		k := skeletonOf(spans...)
		want := answersOf(k)
		require.Equal(t, want, answersOf(k))
		root := k.primary()
		require.Equal(t, k.Spans[root].duration(), want.path)
		require.LessOrEqual(t, want.part, want.path)
		require.LessOrEqual(t, want.orphans+want.roots, len(spans))

		again := append(slices.Clone(spans), spans[rng.IntN(len(spans))])
		rng.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		used.Reset()
		used.Spans = append(used.Spans, again...)
		used.Link()
		require.Equal(t, want, answersOf(used))
		seen |= want.modes
	}
	for _, m := range AllFailureModes() {
		require.True(t, seen.Any(FailureModes(0).With(m)), m)
	}
}

// A skewed clock does not change results that derive from durations.
func TestSkeletonIgnoresClocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		client := Span{ID: 1, Kind: wire.KindClient, Start: 1e9, End: 1e9 + 100, Status: wire.StatusError}
		length := 1 + rng.Uint64N(200)
		start := 1e9 + rng.Uint64N(1e6)
		server := Span{ID: 2, Parent: 1, Kind: wire.KindServer, Service: 7, Start: start, End: start + length}
		off := server
		off.Start += 5e8
		off.End += 5e8
		a, b := skeletonOf(client, server), skeletonOf(client, off)
		require.Equal(t, a.FailureModes(), b.FailureModes())
		if length <= 100 {
			own := func(s *Span) bool { return s.Service == 7 }
			require.Equal(t, length, b.CriticalPath(own), "moved into the call")
			require.Equal(t, length, a.CriticalPath(own))
		}
	}
}

func TestCriticalPathParts(t *testing.T) {
	span := func(id, parent, start, end uint64) Span {
		return Span{ID: id, Parent: parent, Service: id, Start: 1000 + start, End: 1000 + end, Kind: 1}
	}
	for name, c := range map[string]struct {
		spans []Span
		own   []uint64 // by ID, from 1
	}{
		"back to back":     {[]Span{span(1, 0, 1, 100), span(2, 1, 10, 50), span(3, 1, 50, 90)}, []uint64{19, 40, 40}},
		"side by side":     {[]Span{span(1, 0, 0, 100), span(2, 1, 10, 90), span(3, 1, 10, 80)}, []uint64{20, 80, 0}},
		"one in another":   {[]Span{span(1, 0, 0, 100), span(2, 1, 10, 90), span(3, 2, 20, 80)}, []uint64{20, 20, 60}},
		"past the end":     {[]Span{span(1, 0, 0, 100), span(2, 1, 10, 101)}, []uint64{100, 0}},
		"before the start": {[]Span{span(1, 0, 50, 100), span(2, 1, 10, 60)}, []uint64{40, 10}},
		"overlapping":      {[]Span{span(1, 0, 0, 100), span(2, 1, 10, 60), span(3, 1, 50, 90)}, []uint64{60, 0, 40}},
		"one after the other with a gap": {[]Span{span(1, 0, 0, 100), span(2, 1, 10, 40), span(3, 1, 50, 90)},
			[]uint64{30, 30, 40}},
		"no time at all": {[]Span{span(1, 0, 0, 100), span(2, 1, 50, 50)}, []uint64{100, 0}},
	} {
		k := skeletonOf(c.spans...)
		for i, want := range c.own {
			require.Equal(t, want, k.CriticalPath(func(s *Span) bool { return s.ID == uint64(i+1) }), "%s, span %d", name, i+1)
		}
	}
}

// No function recurses, and a cycle is not walked.
func TestSkeletonDeepAndCircular(t *testing.T) {
	const depth = 100_000
	var spans []Span
	for i := range uint64(depth) {
		spans = append(spans, Span{ID: i + 1, Parent: i, Start: 1 + i, End: 3*depth - i})
	}
	require.Equal(t, answers{roots: 1, path: 3*depth - 1}, answersOf(skeletonOf(spans...)))

	circle := skeletonOf(Span{ID: 1, Parent: 2, Start: 1, End: 5}, Span{ID: 2, Parent: 1, Start: 1, End: 5})
	require.Equal(t, answers{roots: 1, path: 4}, answersOf(circle), "cut where it starts")
	require.Equal(t, answers{}, answersOf(skeletonOf()))
}

// Of a span's re-sends the longest is kept.
func TestSkeletonKeepsTheLongest(t *testing.T) {
	short, long := Span{ID: 1, Start: 1, End: 5}, Span{ID: 1, Start: 1, End: 9}
	for _, k := range []*Skeleton{skeletonOf(short, long), skeletonOf(long, short, short)} {
		require.Equal(t, []Span{long}, k.Spans)
	}
}

func BenchmarkSkeleton(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 6))
	var spans []Span
	for len(spans) < 20 {
		spans = randomSkeleton(rng)
	}
	k := &Skeleton{}
	b.ReportAllocs()
	for b.Loop() {
		k.Reset()
		k.Spans = append(k.Spans, spans...)
		k.Link()
		answersOf(k)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(spans)), "ns/span")
}
