package status

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/recovery"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

func asJSON(t *testing.T, v any) string {
	b, err := json.MarshalIndent(v, "", "  ")
	require.NoError(t, err)
	return string(b) + "\n"
}

// inScene runs a test in a bubble after play.
func inScene(t *testing.T, test func(t *testing.T, s *scene)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Second)
		s := newScene(t, true)
		s.play()
		test(t, s)
		s.Buffer.Close()
	})
}

func TestStatus(t *testing.T) {
	inScene(t, func(t *testing.T, s *scene) {
		require.Error(t, s.Refusals.Refuse(21, spanlog.ErrMemoryBudget))
		require.Error(t, s.Refusals.Refuse(22, errBroken))
		s.Output.Destinations[1].RefusedSpans.Add(23)
		s.Output.Lost.Add(24)
		st := s.Status()
		require.Equal(t, s.Buffer.Pool.Used(), st.BytesBuffered)
		st.BytesBuffered = 1 // depends on GOGC
		golden(t, "status.json", asJSON(t, st))
	})
}

// Traces kept for their links are counted whenever links are remembered, even a single one.
func TestStatusOfLinks(t *testing.T) {
	inScene(t, func(t *testing.T, s *scene) {
		want := s.Status().LinkedTraces
		require.NotZero(t, want)
		for ties, want := range map[int]int64{0: 0, 1: want, 100: want} {
			s.Buffer.Limits.Ties = ties
			require.Equal(t, want, s.Status().LinkedTraces, "%d ties", ties)
		}
	})
}

// Traces kept for objectives are counted, unless a policy has the name.
func TestStatusOfObjectives(t *testing.T) {
	inScene(t, func(t *testing.T, s *scene) {
		require.Zero(t, s.Status().ObjectiveTraces)
		number, err := s.Versions.Names.Number(version.Name{Policy: exemplars.PolicyName})
		require.NoError(t, err)
		m := s.Buffer.Members[0]
		m.Lock()
		m.Tally().Stats.Decided(&decision.Decided{Verdict: policy.Sampled, Policy: number, Marked: true, Version: s.Versions.Current()})
		m.Unlock()
		require.EqualValues(t, 1, s.Status().ObjectiveTraces)
	})
}

// With storage disk the status includes the recovery.
func TestStatusOfTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, false)
		s.Buffer.SetReady()
		s.Buffer.Limits.Ties = 0
		require.Equal(t, "memory", s.Status().Storage)
		s.Store = recovery.NewStore("", s.Buffer, s.Versions.Names, nil)
		s.Store.Spans.Add(5)
		s.Store.Lost.Add(6)
		s.Output.Lost.Add(7)
		st := s.Status()
		require.Equal(t, "disk", st.Storage)
		require.EqualValues(t, 5, st.RecoveredSpans)
		require.EqualValues(t, 13, st.LostSpans)
		require.Zero(t, st.LinkedTraces)
		require.Zero(t, st.OldestUndecidedSeconds)
		s.Buffer.Close()
	})
}

func TestCost(t *testing.T) {
	inScene(t, func(t *testing.T, s *scene) {
		end := s.run()
		time.Sleep(time.Second)
		golden(t, "cost.json", asJSON(t, s.Cost()))
		end()
	})
}

func TestShadow(t *testing.T) {
	inScene(t, func(t *testing.T, s *scene) {
		shadow, there := s.Shadow()
		require.True(t, there)
		golden(t, "shadow.json", asJSON(t, shadow))

		// Another version is shown once it has decided a trace, and without a shadow there is none.
		set := compile(t, named("gold", withAttribute("gold")))
		v, err := version.New(2, set, set, s.Versions.Names)
		require.NoError(t, err)
		s.Versions.Set(v)
		shadow, there = s.Shadow()
		require.True(t, there)
		require.Equal(t, ShadowStatus{
			PolicyVersion: 2, Since: v.Since, Policies: []ShadowPolicyStatus{{Name: "gold", Type: "string_attribute"}}, Differences: []Difference{},
		}, shadow)
		v, err = version.New(3, set, nil, s.Versions.Names)
		require.NoError(t, err)
		s.Versions.Set(v)
		_, there = s.Shadow()
		require.False(t, there)
	})
}

// Everything known of a trace is shown, whatever its fate.
func TestExplain(t *testing.T) {
	inScene(t, func(t *testing.T, s *scene) {
		var all []Explanation
		for n := range byte(14) {
			e, known := s.Explain(idOf(n), s.Buffer.Now())
			require.Equal(t, n >= 1 && n <= 12, known, "trace %d", n)
			if known {
				require.Equal(t, fmt.Sprintf("%02x0000000000000000000000000000%02x", n, n), e.TraceID)
				all = append(all, e)
			}
		}
		golden(t, "explain.json", asJSON(t, all))
	})
}

// Of older decisions verdict, policy and time are shown, as late spans need them.
func TestExplainFaded(t *testing.T) {
	inScene(t, func(t *testing.T, s *scene) {
		for n := range byte(100) { // which evict the earlier ones
			s.add(testSpan{trace: 100 + n})
		}
		time.Sleep(time.Minute)
		s.due()
		time.Sleep(time.Minute)
		s.due()
		var all []Explanation
		for n := range byte(13) {
			e, known := s.Explain(idOf(n), s.Buffer.Now())
			require.Equal(t, n >= 1, known, "trace %d", n)
			if known {
				require.Equal(t, StateFaded, e.State)
				all = append(all, e)
			}
		}
		golden(t, "faded.json", asJSON(t, all))
	})
}

// Before recovery is complete no trace is explained.
func TestExplainWhileReading(t *testing.T) {
	s := newScene(t, false)
	e, known := s.Explain(idOf(1), 0)
	require.True(t, known)
	require.Equal(t, Explanation{TraceID: idOf(1).String(), State: StateReading}, e)
	require.Zero(t, s.Status().TracesPending)
	s.Buffer.Close()
}

// The votes of a version that is too old are not shown, as its policies' names are unknown.
func TestExplainOldVersions(t *testing.T) {
	inScene(t, func(t *testing.T, s *scene) {
		for number := range 300 {
			v, err := version.New(2+number, compile(t, chance("half", 50)), nil, s.Versions.Names)
			require.NoError(t, err)
			s.Versions.Set(v)
		}
		e, known := s.Explain(idOf(1), s.Buffer.Now())
		require.True(t, known)
		require.Equal(t, "errors", e.Policy)
		require.Nil(t, e.Votes)
		require.Nil(t, e.Shadow)
	})
}

// With more policies than a word has bits, the right policies' votes are shown.
func TestVotesOfManyPolicies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, false)
		s.Buffer.SetReady()
		var list []policy.Config
		for i := range 130 {
			list = append(list, named(fmt.Sprint(i), withAttribute(fmt.Sprintf("attribute-%d", i))))
		}
		v, err := version.New(2, compile(t, list...), nil, s.Versions.Names)
		require.NoError(t, err)
		s.Versions.Set(v)
		for _, m := range s.Buffer.Members {
			m.Swap(v)
		}
		for n, i := range []int{0, 63, 64, 127, 128, 129} {
			s.add(testSpan{trace: byte(n + 1), attribute: fmt.Sprintf("attribute-%d", i)})
		}
		time.Sleep(10 * time.Second)
		s.due()
		for n, want := range []string{"0", "63", "64", "127", "128", "129"} {
			e, _ := s.Explain(idOf(byte(n+1)), s.Buffer.Now())
			require.Equal(t, want, e.Policy)
			var matched []string
			for _, vote := range e.Votes {
				if vote.Matched {
					require.True(t, vote.Acted)
					matched = append(matched, vote.Name)
				}
			}
			require.Equal(t, want, strings.Join(matched, ","))
		}
		s.Buffer.Close()
	})
}

func TestOutcomes(t *testing.T) {
	require.Equal(t, []string{"changed", "unchanged", "failed"}, []string{
		ReloadChanged.String(), ReloadUnchanged.String(), ReloadFailed.String(),
	})
	require.EqualValues(t, 3, Outcomes)
	require.NotEqual(t, wire.TraceID{}, idOf(1))
}
