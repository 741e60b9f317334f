package count

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
)

func TestAdjustedCount(t *testing.T) {
	const all = tracestate.MaxAdjustedCount
	for _, tt := range []struct {
		name      string
		threshold uint64
		want      Weight
	}{
		{"always", 0, Weight{1, 0}},
		{"1 in 2", all / 2, Weight{2, 0}},
		{"1 in 4", all / 4 * 3, Weight{4, 0}},
		{"3 in 4", all / 4, Weight{1, 1431655765}}, // 1.333…
		{"1 in 2⁵⁶", all - 1, Weight{all, 0}},
		{"rounds up to the next whole number", 1, Weight{1, 0}},
		{"not a threshold", all, Weight{1, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, adjustedCount(tt.threshold))
		})
	}
}

func TestAdjustedCountIsExactToTheLastBit(t *testing.T) {
	all := new(big.Int).SetUint64(tracestate.MaxAdjustedCount)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		threshold := rng.Uint64N(tracestate.MaxAdjustedCount) >> rng.UintN(56)
		if rng.IntN(2) == 0 {
			threshold = tracestate.MaxAdjustedCount - 1 - threshold
		}
		w := adjustedCount(threshold)
		// |w − all/kept| ≤ 2⁻³³, multiplied by kept·2³³.
		kept := new(big.Int).SetUint64(tracestate.MaxAdjustedCount - threshold)
		got := new(big.Int).Lsh(new(big.Int).SetUint64(w.whole), 32)
		got.Add(got, new(big.Int).SetUint64(uint64(w.part)))
		got.Mul(got, kept).Lsh(got, 1)
		want := new(big.Int).Lsh(all, 33)
		if diff := got.Sub(got, want); diff.CmpAbs(kept) > 0 {
			t.Fatalf("threshold %#x: %v is off by %v/(kept·2³³)", threshold, w, diff)
		}
	}
}

func TestSumDoesNotDependOnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	weights := make([]Weight, 1000)
	for i := range weights {
		weights[i] = adjustedCount(rng.Uint64N(tracestate.MaxAdjustedCount / 100 * 99))
	}
	sum := func() (s Weight) {
		for _, w := range weights {
			s.add(w)
		}
		return s
	}
	first := sum()
	rng.Shuffle(len(weights), func(i, j int) { weights[i], weights[j] = weights[j], weights[i] })
	assert.Equal(t, first, sum())
}

func TestWholeNumbersStayWhole(t *testing.T) {
	s := Weight{whole: 1 << 53}
	s.add(weightOne)
	n, whole := s.Integer()
	assert.True(t, whole)
	assert.Equal(t, int64(1<<53+1), n)

	s.add(adjustedCount(tracestate.MaxAdjustedCount / 4))
	_, whole = s.Integer()
	assert.False(t, whole)
	assert.InDelta(t, math.Pow(2, 53)+2.3333, s.Float(), 2)
}

func TestWeightOf(t *testing.T) {
	low, high := wire.TraceID{}, wire.TraceID{}
	low[0] = 1 // its last 56 bits are 0
	for i := range high {
		high[i] = 0xff
	}
	for _, tt := range []struct {
		name  string
		id    wire.TraceID
		state string
		want  float64
	}{
		{"no tracestate", high, "", 1},
		{"no ot entry", high, "vendor=x", 1},
		{"1 in 10", high, "vendor=x,ot=th:e6666666666666", 10},
		{"the trace ID does not pass", low, "ot=th:8", 1},
		{"rv passes", low, "ot=rv:ffffffffffffff;th:8", 2},
		{"rv does not pass", high, "ot=rv:00000000000001;th:8", 1},
		{"malformed", high, "ot=th:xyz", 1},
		{"rv is the threshold", high, "ot=rv:80000000000000;th:8", 2},
		{"rv is just below it", high, "ot=rv:7fffffffffffff;th:8", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.InDelta(t, tt.want, weightOf(tt.id, []byte(tt.state)).Float(), 1e-9)
		})
	}
}
