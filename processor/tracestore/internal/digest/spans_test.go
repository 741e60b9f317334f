package digest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/tracestore/internal/storetest"
)

// TestSpanQuery compares the verdict of a header and its terms with the spans, for every combination of conditions.
func TestSpanQuery(t *testing.T) {
	trace := assemble.One(storetest.Kept(t, storetest.Spans(
		storetest.Spec{Trace: 1, ID: 1, Service: "a", Name: "x", Duration: time.Second},
		storetest.Spec{Trace: 1, ID: 2, Parent: 1, Service: "b", Name: "y", Duration: 30 * time.Millisecond, Failed: true},
		storetest.Spec{Trace: 1, ID: 3, Parent: 1, Service: "b", Name: "z", Duration: 50 * time.Millisecond},
		storetest.Spec{Trace: 1, ID: 4, Parent: 1, Service: "b", Name: "y"},
	)), assemble.Options{})
	d := Of(trace, storetest.T0)
	verdicts := map[Verdict]int{}
	durations := []time.Duration{0, 1, 30 * time.Millisecond, 40 * time.Millisecond, 50 * time.Millisecond, time.Second, time.Hour}
	for _, service := range []string{"", "a", "b", "c"} {
		for _, operation := range []string{"", "x", "y"} {
			for _, failed := range []bool{false, true} {
				for _, shortest := range durations {
					for _, longest := range durations {
						q := SpanQuery{service, operation, failed, uint64(shortest), uint64(longest)}
						name := fmt.Sprintf("%+v", q)
						matches, verdict := q.Trace(trace), q.Header(&d.Header)
						verdicts[verdict]++
						if verdict != Unknown {
							require.Equal(t, matches, verdict == Matches, name)
						}
						for _, terms := range q.Streams() {
							if matches {
								require.True(t, anyOf(d.Terms, terms), name)
							}
						}
					}
				}
			}
		}
	}
	require.Len(t, verdicts, 3, "no verdict is left out")
}

func anyOf(terms, wanted []uint64) bool {
	for _, term := range terms {
		for _, w := range wanted {
			if term == w {
				return true
			}
		}
	}
	return false
}

// TestSpanQueryOfLateSpans: the header of a trace and of a part that is added to it tell what the spans of both do.
func TestSpanQueryOfLateSpans(t *testing.T) {
	h := digested(t, storetest.Spans(storetest.Spec{Trace: 1, ID: 1, Service: "b", Duration: time.Second})).Header
	failed := SpanQuery{Service: "a", Failed: true, Shortest: uint64(time.Millisecond), Longest: uint64(time.Hour)}
	require.Equal(t, Unknown, failed.Header(&h), "the service is not in it")
	part := digested(t, storetest.Spans(
		storetest.Spec{Trace: 1, ID: 2, Service: "a", Duration: 5 * time.Millisecond, Failed: true},
		storetest.Spec{Trace: 1, ID: 3, Service: "b", Duration: 2 * time.Second})).Header
	added := h.Add(&part)
	require.Contains(t, added, TermFailed("a"))
	require.Equal(t, Matches, failed.Header(&h))
	require.Equal(t, []Extent{
		{Longest: uint64(5 * time.Millisecond), LongestFailed: uint64(5 * time.Millisecond)}, {Longest: uint64(2 * time.Second)},
	}, h.Extents)
}

// TestManyServices: services beyond the limit are combined, their extents too.
func TestManyServices(t *testing.T) {
	var specs []storetest.Spec
	for i := range maxServices + 10 {
		specs = append(specs, storetest.Spec{Trace: 1, ID: i + 1, Service: fmt.Sprintf("s%04d", i), Duration: time.Duration(i) * time.Millisecond})
	}
	d := digested(t, storetest.Spans(specs...))
	require.Len(t, d.Extents, len(d.Meta.Summary.Services))
	for i, of := range d.Meta.Summary.Services {
		want := time.Duration(maxServices+9) * time.Millisecond
		if of.Name != otherServices {
			var number int
			_, err := fmt.Sscanf(of.Name, "s%d", &number)
			require.NoError(t, err)
			want = time.Duration(number) * time.Millisecond
		}
		require.Equal(t, uint64(want), d.Extents[i].Longest, of.Name)
	}
}
