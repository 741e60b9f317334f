package tailsampling

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy"
)

// Configurations at their limits, with every option on, obey the same laws: each trace is decided, its late spans follow, nothing
// is left over, and every status has an answer.
func TestOddConfigurations(t *testing.T) { withEitherStorage(t, testOddConfigurations) }

func testOddConfigurations(t *testing.T) {
	many := func(n int) (list []policy.Config) {
		for i := range n - 1 {
			list = append(list, serviceIs(fmt.Sprint("service is ", i), fmt.Sprint("service-", i+50)))
		}
		return append(list, policy.Config{Name: "errors", Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"ERROR"}}})
	}
	for name, odd := range map[string]func(*Config){
		"one shard":                 func(cfg *Config) { cfg.NumShards = 1 },
		"more shards than traces":   func(cfg *Config) { cfg.NumShards = 200 },
		"no explanations":           func(cfg *Config) { cfg.Explain.Decisions = 0 },
		"one explanation":           func(cfg *Config) { cfg.Explain.Decisions = 1 },
		"no decision caches":        func(cfg *Config) { cfg.DecisionCache = DecisionCacheConfig{} },
		"300 policies":              func(cfg *Config) { cfg.Policies = many(300) },
		"more shadow than policies": func(cfg *Config) { cfg.Shadow = &ShadowConfig{Policies: many(300)} },
		"one link":                  func(cfg *Config) { cfg.LinkedTraces.MaxLinks, cfg.LinkedTraces.MaxLinksPerTrace = 1, 1 },
		"one trace":                 func(cfg *Config) { cfg.NumTraces = 1 },
		"span-ingest":               func(cfg *Config) { cfg.SamplingStrategy = spanIngest },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := linking(testConfig())
				cfg.MemoryBudget, cfg.DiskBudget, cfg.ReviveWindow = 32<<20, 64<<20, 2*cfg.DecisionWait
				odd(cfg)
				var next sink
				p := start(t, cfg, &next)
				ask := func() {
					p.Status()
					p.Cost()
					p.Shadow()
					p.Policies()
					for n := range 21 {
						p.Explain(traceID(n))
					}
				}
				const traces = 20
				for n := range traces {
					require.NoError(t, wireDoor(t, p, request(newTrace(n, 5, n%7 == 1)...)))
				}
				ask()
				time.Sleep(cfg.DecisionWait + time.Second)
				ask()
				for n := range traces {
					require.NoError(t, wireDoor(t, p, request(newSpan(n, 5).fail())))
				}
				ask()
				time.Sleep(time.Minute)
				ask()
				st := p.Status()
				require.Zero(t, st.SpansBuffered)
				require.Zero(t, st.TracesRevivable)
				require.Len(t, next.traces(), traces, "the late errors revive, or are traces of their own")
				shutdown(t, p)
			})
		})
	}
}
