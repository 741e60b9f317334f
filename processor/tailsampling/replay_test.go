package tailsampling

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy"
)

// recorded are requests of overlapping traces, some late and some failed, each with the end of its latest span.
func recorded() (requests [][]spanOf, ended []time.Duration) {
	for n := range 40 {
		spans := newTrace(n, 4, n%5 == 0)
		requests = append(requests, spans[:2])
		ended = append(ended, time.Duration(n)*time.Second+6*time.Millisecond)
		if n >= 3 {
			late := newTrace(n-3, 4, (n-3)%5 == 0)
			requests = append(requests, late[2:])
			ended = append(ended, time.Duration(n)*time.Second+6*time.Millisecond)
		}
	}
	return requests, ended
}

// A replay decides the same as the processor when the same spans arrive at their own times.
func TestReplayDecidesAsTheProcessor(t *testing.T) {
	withEitherStorage(t, testReplayDecidesAsTheProcessor)
}

func testReplayDecidesAsTheProcessor(t *testing.T) {
	for name, set := range map[string]func(*Config){
		"shipped":     func(*Config) {},
		"revived":     func(cfg *Config) { cfg.ReviveWindow = 4 * time.Second },
		"linked":      func(cfg *Config) { cfg.ReviveWindow, cfg.LinkedTraces.Enabled = 4*time.Second, true },
		"span-ingest": func(cfg *Config) { cfg.SamplingStrategy = spanIngest },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			cfg.DecisionWait = 1500 * time.Millisecond // no span arrives at the moment of a decision
			cfg.Policies = append(keepErrors(testConfig()).Policies, policy.Config{
				Name: "some", Type: policy.Probabilistic, Section: &policy.ProbabilisticConfig{SamplingPercentage: 30},
			})
			set(cfg)
			replayAndCompare(t, cfg)
		})
	}
}

func replayAndCompare(t *testing.T, cfg *Config) {
	requests, ended := recorded()

	r, err := NewReplay(cfg)
	require.NoError(t, err)
	for _, spans := range requests {
		require.NoError(t, r.Add(marshal(t, request(spans...))))
	}
	decisions, policies := r.Finish()
	require.Len(t, decisions, 40)
	verdicts := map[string]int{}

	synctest.Test(t, func(t *testing.T) {
		var next sink
		p := start(t, cfg, &next)
		began := time.Now()
		for i, spans := range requests {
			time.Sleep(ended[i] - time.Since(began))
			require.NoError(t, wireDoor(t, p, request(spans...)))
		}
		time.Sleep(time.Minute)
		for i, d := range decisions {
			require.Equal(t, d.TraceID, traceID(i).String(), "in the order of their first spans")
			e, known := p.Explain(traceID(i))
			require.True(t, known)
			require.Equal(t, e.Verdict, d.Verdict)
			require.Equal(t, e.Policy, d.Policy)
			require.Equal(t, e.Trigger, d.Trigger)
			require.Equal(t, e.LinkedTraceID, d.LinkedTraceID)
			require.Equal(t, e.Threshold, d.Threshold)
			require.Equal(t, e.Votes, d.Votes)
			require.Equal(t, e.Complete, d.Complete)
			verdicts[d.Verdict]++
		}
		require.Equal(t, p.Status().Policies, policies)
		shutdown(t, p)
	})
	require.Greater(t, verdicts["sampled"], 8)
	require.Greater(t, verdicts["not_sampled"], 2)
}

// The clock is the spans', so that the same files give the same output on any day.
func TestReplayIsRepeatable(t *testing.T) {
	once := func() []Explanation {
		r, err := NewReplay(keepErrors(testConfig()))
		require.NoError(t, err)
		requests, _ := recorded()
		for _, spans := range requests {
			require.NoError(t, r.Add(marshal(t, request(spans...))))
		}
		decisions, _ := r.Finish()
		return decisions
	}
	first := once()
	require.Equal(t, first, once())
	require.Equal(t, time.Unix(0, int64(epoch)).UTC().Truncate(time.Minute), first[0].FirstSpanAt.Truncate(time.Minute))
}

func TestReplayRefusesInvalidInput(t *testing.T) {
	r, err := NewReplay(keepErrors(testConfig()))
	require.NoError(t, err)
	require.ErrorContains(t, r.Add([]byte{0xff}), "read spans")

	bad := testConfig()
	bad.Policies = nil
	_, err = NewReplay(bad)
	require.ErrorContains(t, err, "policies: is empty; write at least one policy")
}
