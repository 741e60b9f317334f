package tailsampling

import (
	"encoding/binary"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/policy"
)

// lucky returns a trace ID whose randomness passes every threshold, or none above 0.
func lucky(n byte, passes bool) (id pcommon.TraceID) {
	id[0], id[15] = n, n
	if passes {
		binary.BigEndian.PutUint64(id[8:], 1<<56-1-uint64(n))
	}
	return id
}

func withID(id pcommon.TraceID, spans []spanOf) []spanOf {
	for _, s := range spans {
		s.span().SetTraceID(id)
	}
	return spans
}

func TestExplain(t *testing.T) { withEitherStorage(t, testExplain) }

func testExplain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		cfg := testConfig() // errors, slow, and a tenth of the rest
		cfg.Policies = append(cfg.Policies, policy.Config{Name: "noise", Type: policy.Drop,
			Section: &policy.DropConfig{SubPolicies: []policy.Config{serviceIs("", "service-3")}}})
		cfg.Shadow = &ShadowConfig{Policies: cfg.Policies[1:2]}
		p := start(t, cfg, &sink{})
		kept, unlucky, noise := lucky(1, true), lucky(2, false), lucky(3, true)
		send := func(spans ...spanOf) { require.NoError(t, wireDoor(t, p, request(spans...))) }
		send(withID(kept, newTrace(1, 3, true))...)
		send(withID(unlucky, newTrace(2, 2, false))[1])
		send(withID(noise, newTrace(3, 4, false))...)
		time.Sleep(2 * time.Second)

		got, known := p.Explain(kept)
		require.True(t, known)
		assert.Equal(t, StatePending, got.State)
		assert.Equal(t, began.UTC(), *got.FirstSpanAt)
		assert.Equal(t, Completeness{RootSeen: true, Errors: true, Spans: 3, Bytes: got.Complete.Bytes, DurationSeconds: 0.007}, *got.Complete)
		_, known = p.Explain(traceID(99))
		require.False(t, known)

		time.Sleep(cfg.DecisionWait)
		send(withID(kept, newTrace(1, 5, false))[3:]...)
		send(withID(noise, newTrace(3, 6, false))[4])
		time.Sleep(time.Second)
		got, known = p.Explain(kept)
		require.True(t, known)
		bytes := got.Complete.Bytes
		assert.Greater(t, bytes, int64(300))
		decided := began.Add(cfg.DecisionWait).UTC()
		assert.Equal(t, Explanation{
			TraceID: kept.String(), State: StateDecided, Verdict: "sampled", Policy: "errors", PolicyVersion: 1,
			FirstSpanAt: ptr(began.UTC()), DecidedAt: &decided,
			Trigger: "decision_wait", Reason: "decision_wait was over",
			Complete: &Completeness{RootSeen: true, Errors: true, Spans: 3, Bytes: bytes, LateSpans: 2, DurationSeconds: 0.007},
			Weight:   Weight{Threshold: "00000000000000", Randomness: "fffffffffffffe", AdjustedCount: 1},
			Votes: []PolicyVote{
				{Name: "errors", Type: "status_code", Matched: true, Acted: true}, {Name: "slow", Type: "latency", Matched: false, Acted: false}, {Name: "rest", Type: "probabilistic", Matched: true, Acted: true},
				{Name: "noise", Type: "drop", Matched: false, Acted: false},
			},
			Shadow: &ShadowVerdict{Verdict: "not_sampled"},
		}, got)

		got, known = p.Explain(unlucky)
		require.True(t, known)
		assert.Equal(t, "not_sampled", got.Verdict)
		assert.Empty(t, got.Policy)
		assert.Empty(t, got.Threshold)
		assert.False(t, got.Complete.RootSeen)
		assert.Equal(t, PolicyVote{Name: "rest", Type: "probabilistic", Matched: true, Acted: false}, got.Votes[2])

		got, known = p.Explain(noise)
		require.True(t, known)
		assert.Equal(t, "dropped", got.Verdict)
		assert.Equal(t, "noise", got.Policy)
		assert.Equal(t, PolicyVote{Name: "noise", Type: "drop", Matched: true, Acted: true}, got.Votes[3])
		assert.Equal(t, int64(1), got.Complete.LateSpans)
		shutdown(t, p)
	})
}

// A decision without a record is shown as far as late spans need it.
func TestExplainWithoutRecord(t *testing.T) { withEitherStorage(t, testExplainWithoutRecord) }

func testExplainWithoutRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.NumShards, cfg.Explain.Decisions = 1, 2
		p := start(t, cfg, &sink{})
		for n := range 5 {
			require.NoError(t, wireDoor(t, p, request(newTrace(n, 2, n%2 == 0)...)))
			time.Sleep(cfg.DecisionWait + time.Second)
		}
		for n := range 5 {
			got, known := p.Explain(traceID(n))
			require.True(t, known)
			if n >= 3 {
				require.Equal(t, StateDecided, got.State)
				require.Len(t, got.Votes, 3)
				continue
			}
			require.Equal(t, StateFaded, got.State, n)
			require.Equal(t, n%2 == 0, got.Verdict == "sampled")
			require.Equal(t, n%2 == 0, got.Policy == "errors")
			require.NotNil(t, got.DecidedAt)
			require.Nil(t, got.Complete)
		}
		shutdown(t, p)
	})
}

func TestExplainCanBeSwitchedOff(t *testing.T) { withEitherStorage(t, testExplainCanBeSwitchedOff) }

func testExplainCanBeSwitchedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(testConfig())
		cfg.Explain.Decisions = 0
		p := start(t, cfg, &sink{})
		require.NoError(t, wireDoor(t, p, request(newTrace(1, 2, false)...)))
		time.Sleep(cfg.DecisionWait + time.Second)
		got, known := p.Explain(traceID(1))
		require.True(t, known)
		require.Equal(t, StateFaded, got.State)
		shutdown(t, p)
	})
}

// A record has the votes of the version that decided, even if later ones have more policies.
func TestExplainAcrossVersions(t *testing.T) { withEitherStorage(t, testExplainAcrossVersions) }

func testExplainAcrossVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.NumShards = 1
		p := start(t, cfg, &sink{})
		send := func(n int) { require.NoError(t, wireDoor(t, p, request(newTrace(n, 2, n == 2)...))) }
		send(1)
		time.Sleep(cfg.DecisionWait + time.Second)
		send(2)
		many := make([]policy.Config, 0, 130)
		for i := range 130 {
			many = append(many, serviceIs(fmt.Sprint(i), fmt.Sprintf("service-%d", i)))
		}
		_, err := swapTo(p, with(cfg, many...))
		require.NoError(t, err)
		send(3)
		time.Sleep(cfg.DecisionWait + time.Second)
		acted := func(n int) (e Explanation, names []string) {
			e, known := p.Explain(traceID(n))
			require.True(t, known)
			for _, v := range e.Votes {
				if v.Acted {
					names = append(names, v.Name)
				}
			}
			return e, names
		}
		one, _ := acted(1)
		require.Equal(t, 1, one.PolicyVersion)
		require.Len(t, one.Votes, 3)
		two, names := acted(2)
		require.Equal(t, 1, two.PolicyVersion, "it began under the first")
		require.Contains(t, names, "errors")
		three, names := acted(3)
		require.Equal(t, 2, three.PolicyVersion)
		require.Len(t, three.Votes, 130)
		require.Equal(t, []string{"0", "1"}, names)
		shutdown(t, p)
	})
}
