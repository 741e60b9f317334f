package differential

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	contrib "github.com/open-telemetry/opentelemetry-collector-contrib/processor/tailsamplingprocessor"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/slowburn/slowburn/processor/tailsampling"
)

// settings are the value of tail_sampling, as it stands in a configuration.
type settings = map[string]any

// kept are the traces that came out, by ID, with how many spans.
type kept map[pcommon.TraceID]int

// decisionWait is a whole number of seconds, because contrib's clock ticks by the second.
const decisionWait = 2 * time.Second

// arrival is spans that arrive together.
type arrival struct {
	at   time.Duration
	data ptrace.Traces
}

// throughContrib and throughSlowburn run the arrivals through the processor and return what it kept.
func throughContrib(t *testing.T, cfg settings, arrivals []arrival) kept {
	return through(t, contrib.NewFactory(), with(cfg, settings{"num_traces": 1_000_000}), arrivals)
}

func throughSlowburn(t *testing.T, cfg settings, arrivals []arrival) kept {
	return through(t, tailsampling.NewFactory(), with(cfg, settings{"storage": "memory", "num_shards": 1}), arrivals)
}

// with returns the settings and some more.
func with(cfg, more settings) settings {
	all := settings{}
	for _, s := range []settings{cfg, more} {
		for key, value := range s {
			all[key] = value
		}
	}
	return all
}

func through(t *testing.T, f processor.Factory, cfg settings, arrivals []arrival) (got kept) {
	synctest.Test(t, func(t *testing.T) {
		config := f.CreateDefaultConfig()
		require.NoError(t, confmap.NewFromStringMap(with(cfg, settings{"decision_wait": decisionWait})).Unmarshal(config))
		require.NoError(t, confmap.Validate(config))
		var sink consumertest.TracesSink
		p, err := f.CreateTraces(context.Background(), processortest.NewNopSettings(f.Type()), config, &sink)
		require.NoError(t, err)
		require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
		began := time.Now()
		for _, a := range arrivals {
			time.Sleep(a.at - time.Since(began))
			// A processor may change what it is given.
			mine := ptrace.NewTraces()
			a.data.CopyTo(mine)
			require.NoError(t, p.ConsumeTraces(context.Background(), mine))
			synctest.Wait()
		}
		time.Sleep(2 * decisionWait)
		synctest.Wait()
		require.NoError(t, p.Shutdown(context.Background()))
		got = kept{}
		for _, td := range sink.AllTraces() {
			for _, rs := range td.ResourceSpans().All() {
				for _, ss := range rs.ScopeSpans().All() {
					for _, span := range ss.Spans().All() {
						got[span.TraceID()]++
					}
				}
			}
		}
	})
	return got
}
