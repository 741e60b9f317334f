package tailsampling

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
)

// offeredDoor is a door behind a component that has traces to keep. It returns who keeps them.
func offeredDoor(t *testing.T, p *Sampler, decoded bool, td ptrace.Traces) exemplars.Keeper {
	t.Helper()
	ctx, offer := exemplars.NewContext(context.Background())
	if decoded {
		require.NoError(t, p.ConsumeTraces(ctx, td))
		return offer.Keeper()
	}
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	var r wire.Request
	require.NoError(t, r.Scan(b))
	require.NoError(t, p.ConsumeTraces(wire.NewContext(ctx, &r), ptrace.NewTraces()))
	return offer.Keeper()
}

// A trace that no policy samples is kept for an objective, without a weight, by either door and with its late spans. Another decision of
// the policies stands.
func TestTracesOfObjectives(t *testing.T) { withEitherStorage(t, testTracesOfObjectives) }

func testTracesOfObjectives(t *testing.T) {
	for name, tc := range map[string]struct {
		revive time.Duration
		after  time.Duration // the time of the mark after the spans
		failed bool          // the policy errors samples the trace
		drop   bool
		by     string // the policy that keeps it, empty for none
		state  string
		why    decision.Trigger
		fate   exemplars.Fate
	}{
		"not sampled":          {by: "objective", state: "vendor=a,other=b", why: decision.ByWait, fate: exemplars.Kept},
		"sampled":              {failed: true, by: "errors", state: "ot=th:0,vendor=a,other=b", why: decision.ByWait, fate: exemplars.Kept},
		"dropped":              {drop: true, fate: exemplars.Gone, why: decision.ByWait},
		"revivable":            {revive: time.Minute, after: 15 * time.Second, by: "objective", state: "vendor=a,other=b", why: decision.ByObjective, fate: exemplars.Kept},
		"marked after the end": {after: 15 * time.Second, fate: exemplars.Gone, why: decision.ByWait},
	} {
		for _, decoded := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cfg := keepErrors(testConfig())
					cfg.ReviveWindow = tc.revive
					if tc.drop {
						cfg.Policies = append(cfg.Policies, policy.Config{Name: "noise", Type: policy.Drop, Section: &policy.DropConfig{
							SubPolicies: []policy.Config{{Name: "any", Type: policy.AlwaysSample}}}})
					}
					var next sink
					p := start(t, cfg, &next)
					keeper := offeredDoor(t, p, decoded, request(newTrace(1, 3, tc.failed)...))
					require.NotNil(t, keeper)
					require.Equal(t, exemplars.MaxPerMinute, keeper.PerMinute())
					require.Equal(t, keeper, offeredDoor(t, p, decoded, request(newTrace(2, 3, false)...)), "which nobody marks")
					time.Sleep(tc.after)
					id := wire.TraceID(traceID(1))
					keeper.Keep(id)
					keeper.Keep(id) // by another objective
					if tc.after == 0 {
						require.Equal(t, exemplars.Undecided, keeper.Fate(id))
					}
					time.Sleep(cfg.DecisionWait + time.Second)
					require.Equal(t, tc.fate, keeper.Fate(id))
					require.Equal(t, exemplars.Gone, keeper.Fate(wire.TraceID(traceID(2))))
					require.Equal(t, exemplars.Gone, keeper.Fate(wire.TraceID(traceID(9))), "it is not known")
					why, _ := p.Explain(traceID(1))
					assert.Equal(t, tc.why.String(), why.Trigger)
					got := next.traces()
					if tc.by == "" {
						require.Empty(t, got)
						shutdown(t, p)
						return
					}
					require.NoError(t, wireDoor(t, p, request(newSpan(1, 5))))
					time.Sleep(time.Second)
					got = next.traces()
					require.Len(t, got, 1)
					parts := got[traceID(1)]
					require.Len(t, parts, 2)
					for _, part := range parts {
						for _, s := range spansOf(part) {
							assert.Equal(t, tc.state, s.TraceState().AsRaw())
						}
						assert.Equal(t, map[string]int{tc.by: part.SpanCount()}, attributesOf(part, attr.Policy))
					}
					assert.Equal(t, tc.by, why.Policy)
					assert.Zero(t, p.output.WithoutThreshold.Load())
					shutdown(t, p)
				})
			})
		}
	}
}

// A mark survives a crash as spans do, with other shards afterwards too.
func TestMarksSurviveACrash(t *testing.T) {
	for _, shards := range []int{4, 1, 7} {
		synctest.Test(t, func(t *testing.T) {
			cfg := keepErrors(diskConfig())
			var first, second, third sink
			p := start(t, cfg, &first)
			for n := range 20 {
				keeper := offeredDoor(t, p, false, request(newTrace(n, 2, false)...))
				if n%4 == 0 {
					keeper.Keep(wire.TraceID(traceID(n)))
				}
			}
			synctest.Wait()
			after := crash(t, cfg)
			end(t, p)
			after.NumShards = shards
			p = start(t, after, &second)
			synctest.Wait()
			again := crash(t, after) // the marks are in the files that the restart wrote, too
			end(t, p)
			p = start(t, again, &third)
			time.Sleep(cfg.DecisionWait + time.Second)
			shutdown(t, p)
			got := third.traces()
			require.Len(t, got, 5)
			for n := 0; n < 20; n += 4 {
				require.Len(t, got[traceID(n)], 1)
				require.Equal(t, map[string]int{"objective": 2}, attributesOf(got[traceID(n)][0], attr.Policy))
			}
		})
	}
}

// With objective_exemplars: 0 nobody keeps traces, and a policy may have the name; otherwise that is an error.
func TestNoTracesOfObjectives(t *testing.T) {
	cfg := testConfig()
	cfg.Policies[0].Name = exemplars.PolicyName
	require.ErrorContains(t, cfg.Validate(), `"objective" is the name under which traces are kept as exemplars of objectives`)
	cfg.ObjectiveExemplars = 11
	require.ErrorContains(t, cfg.Validate(), "objective_exemplars: 11 must be between 1 and 10, or 0")
	cfg.ObjectiveExemplars = 0
	require.NoError(t, cfg.Validate())
	p := start(t, cfg, &sink{})
	require.Nil(t, offeredDoor(t, p, false, request(newTrace(1, 3, false)...)))
	shutdown(t, p)
}
