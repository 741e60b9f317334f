package digest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/tracestore/internal/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// digested returns the digest of the only trace in td.
func digested(t *testing.T, td ptrace.Traces) Digest {
	t.Helper()
	k := storetest.Kept(t, td)
	require.Len(t, k.Traces, 1)
	return Of(assemble.One(k, assemble.Options{}), storetest.T0)
}

func TestDigest(t *testing.T) {
	td := storetest.Spans(
		storetest.Spec{Trace: 1, ID: 1, Service: "shop", Name: "GET /", Duration: time.Second, Policy: "slow", Link: 7},
		storetest.Spec{Trace: 1, ID: 2, Parent: 1, Service: "cart", Name: "add", Start: time.Millisecond, Failed: true},
		storetest.Spec{Trace: 1, ID: 3, Parent: 1, Service: "cart", Name: "add", Start: time.Millisecond, Late: true, Link: 1},
		storetest.Spec{Trace: 1, ID: 1, Service: "shop", Name: "GET /", Duration: time.Second, Policy: "slow", Link: 7})
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceState().FromRaw("ot=th:8;rv:ffffffffffffff")
	td.ResourceSpans().At(3).ScopeSpans().At(0).Spans().At(0).TraceState().FromRaw("ot=th:8;rv:ffffffffffffff")
	d := digested(t, td)
	require.Equal(t, Summary{
		TraceID: storetest.TraceID(1).String(), RootService: "shop", RootOperation: "GET /",
		Start: storetest.T0, StartUnixNano: uint64(storetest.T0.UnixNano()), DurationMS: 1000, SpanCount: 3, ErrorCount: 1,
		Services: []ServiceSummary{{Name: "cart", Spans: 2, Errors: 1}, {Name: "shop", Spans: 1}},
		Policy:   "slow", AdjustedCount: 2, Complete: true,
	}, d.Meta.Summary)
	require.Equal(t, 1, d.Meta.LateSpans)
	require.Equal(t, 3, d.Distinct)
	require.Equal(t, uint64(time.Second), d.Duration)
	require.Equal(t, uint64(storetest.T0.UnixNano()), d.Start)
	require.Equal(t, []Extent{{}, {Longest: uint64(time.Second)}}, d.Extents, "of cart and shop")
	require.Equal(t, []Operation{{Service: "shop", Name: "GET /"}, {Service: "cart", Name: "add"}}, d.Operations)
	want := []uint64{
		TermAll(), TermError(), TermPolicy("slow"), TermService("shop"), TermService("cart"), TermOperation("shop", "GET /"),
		TermOperation("cart", "add"), TermLink(storetest.TraceID(7)), termDuration(30),
		TermFailed("cart"), termLongest("shop", 15),
	}
	slices.Sort(want)
	require.Equal(t, want, d.Terms)
}

// A trace without errors and policy has no terms for them.
func TestDigestOfAPlainTrace(t *testing.T) {
	d := digested(t, storetest.Spans(storetest.Spec{Trace: 1, ID: 2, Parent: 9, Service: "s", Name: "op"}))
	want := []uint64{TermAll(), TermService("s"), TermOperation("s", "op"), termDuration(0)}
	slices.Sort(want)
	require.Equal(t, want, d.Terms)
	require.False(t, d.Meta.Summary.Complete, "its parent is missing")
	require.Equal(t, "op", d.Meta.Summary.RootOperation)
}

// A trace is indexed by a bounded number of operations and links, and by all its services.
func TestTermsAreBounded(t *testing.T) {
	var specs []storetest.Spec
	for i := range maxOperationTerms + 5 {
		specs = append(specs, storetest.Spec{
			Trace: 1, ID: i + 1, Service: "s", Name: fmt.Sprint("op", i), Start: time.Duration(i), Link: 1000 + i,
		})
	}
	d := digested(t, storetest.Spans(specs...))
	require.Len(t, d.Operations, maxOperationTerms)
	require.Len(t, d.Terms, maxOperationTerms+maxLinkTerms+len([]string{"all", "duration", "service"}))
}

func TestIndexStart(t *testing.T) {
	now := storetest.T0
	day := uint64(24 * time.Hour)
	at := uint64(now.UnixNano())
	for start, want := range map[uint64]uint64{0: at, 1: 1, at: at, at + day: at + day, at + day + 1: at} {
		require.Equal(t, want, indexStart(start, now), start)
	}
}

// Terms of different properties or values differ, wherever one value ends and the next begins.
func TestTermsDiffer(t *testing.T) {
	terms := []uint64{
		TermAll(), TermError(), TermService("a"), TermPolicy("a"), TermService("ab"), TermService(""), TermOperation("a", "b"),
		TermOperation("ab", ""), TermOperation("", "ab"), TermLink(pcommon.TraceID{1}), termDuration(1), termDuration(2),
		TermFailed("a"), TermFailed("ab"), termLongest("a", 10), termLongest("a", 11), termLongest("b", 10),
	}
	require.Len(t, distinctTerms(slices.Clone(terms)), len(terms))
	require.Equal(t, []uint64{1, 2, 3}, distinctTerms([]uint64{3, 1, 2, 3, 1}))
}

func TestTermsOfDurations(t *testing.T) {
	of := func(magnitudes ...int) (terms []uint64) {
		for _, m := range magnitudes {
			terms = append(terms, termDuration(m))
		}
		return terms
	}
	for _, c := range []struct {
		shortest, longest uint64
		want              []uint64
	}{
		{0, 0, of(0)}, {0, 1, of(0, 1)}, {1, 1, of(1)}, {2, 3, of(2)}, {3, 4, of(2, 3)}, {4, 3, nil}, {1 << 62, ^uint64(0), of(63, 64)},
	} {
		require.Equal(t, c.want, TermsOfDurations(c.shortest, c.longest), c)
	}
}
