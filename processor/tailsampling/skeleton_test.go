package tailsampling

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/policy"
)

// Policies on the tree read it from the log, whatever other spans lie between.
func TestSkeletonIsReadFromTheLog(t *testing.T) { withEitherStorage(t, testSkeletonIsReadFromTheLog) }

func testSkeletonIsReadFromTheLog(t *testing.T) {
	cfg := testConfig()
	cfg.Policies = []policy.Config{{Name: "orphans", Type: policy.Orphans, Section: &policy.OrphansConfig{}}}
	next := &sink{}
	p := start(t, cfg, next)
	const traces, spans = 60, 6
	want := map[pcommon.TraceID]bool{}
	for i := range spans {
		for n := range traces {
			if i == 1 && n%3 == 0 {
				want[traceID(n)] = true // spans 2 and 3 are its children
				continue
			}
			require.NoError(t, wireDoor(t, p, request(newSpan(n, i))))
		}
	}
	shutdown(t, p)
	got := map[pcommon.TraceID]bool{}
	for id := range next.traces() {
		got[id] = true
	}
	require.Equal(t, want, got)
}

// A trimmed trace lacks spans on purpose, so policies on its tree do not match.
func TestTrimmedTraceHasNoSkeleton(t *testing.T) { withEitherStorage(t, testTrimmedTraceHasNoSkeleton) }

func testTrimmedTraceHasNoSkeleton(t *testing.T) {
	cfg := testConfig()
	cfg.MaximumTraceSizeBytes = 4000
	cfg.Policies = []policy.Config{{Name: "orphans", Type: policy.Orphans, Section: &policy.OrphansConfig{}}}
	next := &sink{}
	p := start(t, cfg, next)
	for i := range 40 {
		s := newSpan(1, i)
		if i == 39 {
			s.span().SetParentSpanID(spanID(99))
			s.fail() // so that it is stored
		}
		require.NoError(t, wireDoor(t, p, request(s)))
	}
	st := sum(p)
	require.Positive(t, st.Trimmed)
	shutdown(t, p)
	require.Zero(t, next.spans())
}
