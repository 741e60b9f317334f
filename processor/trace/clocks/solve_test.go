package clocks

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/trace"
)

// chain returns n clocks, each of which serves the previous one; the last is 10 to 20 behind its caller.
func chain(n int) ([]clock, []bound) {
	clocks := make([]clock, n)
	var bounds []bound
	for i := 1; i < n; i++ {
		lo, hi := int64(-50), int64(50)
		if i == n-1 {
			lo, hi = 10, 20
		}
		clocks[i].backend = true
		bounds = append(bounds, bound{a: i, b: i - 1, w: hi}, bound{a: i - 1, b: i, w: -lo})
	}
	return clocks, bounds
}

func TestLargestGroup(t *testing.T) {
	clocks, bounds := chain(maxClosure)
	require.Empty(t, solve(clocks, bounds))
	require.Equal(t, int64(15), clocks[maxClosure-1].Offset)
	require.Equal(t, trace.ClockBounded, clocks[maxClosure-1].Status)

	clocks, bounds = chain(maxClosure + 1)
	require.Len(t, solve(clocks, bounds), 1)
	for _, c := range clocks {
		require.Zero(t, c.Clock)
	}
}

func TestSolve(t *testing.T) {
	const open = -1
	for name, c := range map[string]struct {
		backend []bool
		bounds  []bound
		want    []trace.Clock
	}{
		"all hold": {[]bool{true, true}, between(1, -3, 9), make([]trace.Clock, 2)},
		"bounded":  {[]bool{true, true}, between(1, 3, 9), []trace.Clock{{}, {Offset: 6, Uncertainty: 3, Status: trace.ClockBounded}}},
		"unequal halves": {
			[]bool{true, true}, between(1, 3, 10), []trace.Clock{{}, {Offset: 6, Uncertainty: 4, Status: trace.ClockBounded}},
		},
		"one-sided": {
			[]bool{true, true}, []bound{{a: 0, b: 1, w: -3}},
			[]trace.Clock{{}, {Offset: 3, Uncertainty: open, Status: trace.ClockOneSided}},
		},
		// Clock 0 only sends requests, so it is corrected.
		"the reference serves": {
			[]bool{false, true}, between(1, 3, 9), []trace.Clock{{Offset: -6, Uncertainty: 3, Status: trace.ClockBounded}, {}},
		},
		"no clock serves": {
			[]bool{false, false}, between(1, 3, 9), []trace.Clock{{}, {Offset: 6, Uncertainty: 3, Status: trace.ClockBounded}},
		},
		// Clocks 1 and 2 agree, so 0 is wrong.
		"the reference agrees with most": {
			[]bool{true, true, true}, append(between(1, 3, 9), bound{a: 1, b: 2, w: 0}, bound{a: 2, b: 1, w: 0}),
			[]trace.Clock{{Offset: -6, Uncertainty: 3, Status: trace.ClockBounded}, {}, {}},
		},
		// Clocks 0 and 1 send requests and agree; 2 serves them.
		"the only one that serves": {
			[]bool{false, false, true}, append(between(2, 3, 9), bound{a: 1, b: 0, w: 0}, bound{a: 0, b: 1, w: 0}),
			[]trace.Clock{
				{Offset: -6, Uncertainty: 3, Status: trace.ClockBounded}, {Offset: -6, Uncertainty: 3, Status: trace.ClockBounded}, {},
			},
		},
		"hard bounds contradict": {
			[]bool{true, true}, []bound{{a: 0, b: 1, w: -5}, {a: 1, b: 0, w: 4}},
			[]trace.Clock{{Uncertainty: open, Status: trace.ClockStep}, {Uncertainty: open, Status: trace.ClockStep}},
		},
		"a soft bound gives way": {
			[]bool{true, true}, []bound{{a: 0, b: 1, w: -5}, {a: 1, b: 0, w: 4, soft: true}},
			[]trace.Clock{{}, {Offset: 5, Uncertainty: open, Status: trace.ClockOneSided}},
		},
		"groups do not meet": {
			[]bool{true, true, true, true},
			append(between(1, -1, 1), bound{a: 2, b: 3, w: -2}),
			[]trace.Clock{{}, {}, {}, {Offset: 2, Uncertainty: open, Status: trace.ClockOneSided}},
		},
	} {
		clocks := make([]clock, len(c.backend))
		for i, b := range c.backend {
			clocks[i].backend = b
		}
		require.Empty(t, solve(clocks, c.bounds), name)
		got := make([]trace.Clock, len(clocks))
		for i := range clocks {
			got[i] = clocks[i].Clock
		}
		require.Equal(t, c.want, got, name)
	}
}

func TestSplit(t *testing.T) {
	groups := split(6, []bound{{a: 5, b: 1, w: 1}, {a: 0, b: 3, w: 2}, {a: 3, b: 5, w: 3}})
	require.Equal(t, []group{
		{clocks: []int{0, 1, 3, 5}, bounds: []bound{{a: 3, b: 1, w: 1}, {a: 0, b: 2, w: 2}, {a: 2, b: 3, w: 3}}},
		{clocks: []int{2}}, {clocks: []int{4}},
	}, groups)
}

func TestOrderOfInsertion(t *testing.T) {
	bounds := []bound{
		{a: 0, b: 1, w: 5, soft: true, slack: 1}, {a: 1, b: 0, w: 3}, {a: 0, b: 1, w: 9, soft: true, slack: 8}, {a: 0, b: 1, w: 4},
		{a: 0, b: 1, w: 9, soft: true, slack: 1}, {a: 1, b: 2, w: 4},
	}
	require.Equal(t, []bound{
		{a: 0, b: 1, w: 4}, {a: 1, b: 2, w: 4}, {a: 1, b: 0, w: 3},
		{a: 0, b: 1, w: 9, soft: true, slack: 8}, {a: 0, b: 1, w: 9, soft: true, slack: 1}, {a: 0, b: 1, w: 5, soft: true, slack: 1},
	}, inOrder(bounds))
}

// Of many bounds between two clocks the tightest, the loosest and some between are kept.
func TestThinned(t *testing.T) {
	var bounds []bound
	for w := range int64(maxPooled) {
		bounds = append(bounds, bound{a: 0, b: 1, w: w})
	}
	require.Len(t, thinned(bounds), maxPooled)
	for w := range int64(8) {
		bounds = append(bounds, bound{a: 0, b: 1, w: maxPooled + w}, bound{a: 1, b: 0, w: w})
	}
	kept := thinned(bounds)
	require.Len(t, kept, 2*maxPooled)
	var ws []int64
	for _, x := range kept[:maxPooled] {
		ws = append(ws, x.w)
	}
	require.Equal(t, []int64{0, 2, 4, 6, 8, 10, 12, 15}, ws)
}
