package memory

import (
	"math"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/service"
	"go.opentelemetry.io/collector/service/pipelines"

	"github.com/slowburn/slowburn/processor/otlp"
	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/slo/sli"
	"github.com/slowburn/slowburn/slo/tsdb"
	"github.com/slowburn/slowburn/web"
)

const mib = int64(1) << 20

// shipped is the configuration of the shipped pipelines, with a test's changes.
func shipped(change func(*tailsampling.Config, *sli.Config, *tsdb.Config)) *otelcol.Config {
	id := component.MustNewID
	sampling := tailsampling.NewFactory().CreateDefaultConfig().(*tailsampling.Config)
	sampling.MemoryBudget = 512 << 20
	counting := sli.NewFactory().CreateDefaultConfig().(*sli.Config)
	counting.Limits.Series = 20_000
	database := tsdb.NewExtensionFactory().CreateDefaultConfig().(*tsdb.Config)
	database.MaxSeries = 30_000
	if change != nil {
		change(sampling, counting, database)
	}
	cfg := &otelcol.Config{
		Receivers:  map[component.ID]component.Config{id("otlp"): otlp.NewFactory().CreateDefaultConfig()},
		Processors: map[component.ID]component.Config{id("tail_sampling"): sampling, component.MustNewIDWithName("tail_sampling", "unused"): sampling},
		Connectors: map[component.ID]component.Config{id("sli"): counting},
		Extensions: map[component.ID]component.Config{id("tsdb"): database, component.MustNewIDWithName("tsdb", "unused"): database, id("web"): web.NewFactory().CreateDefaultConfig()},
	}
	cfg.Service = service.Config{
		Extensions: []component.ID{id("tsdb"), id("web")},
		Pipelines: pipelines.Config{
			pipeline.NewIDWithName(pipeline.SignalTraces, "in"):      {Receivers: []component.ID{id("otlp")}, Exporters: []component.ID{id("sli")}},
			pipeline.NewIDWithName(pipeline.SignalTraces, "sampled"): {Receivers: []component.ID{id("sli")}, Processors: []component.ID{id("tail_sampling")}},
			pipeline.NewID(pipeline.SignalMetrics):                   {Receivers: []component.ID{id("otlp"), id("sli")}},
		},
	}
	return cfg
}

func TestPlan(t *testing.T) {
	p := Of(shipped(nil), 2<<30, 900<<20, false)
	require.NoError(t, p.Check())
	names := map[string]int64{}
	for _, s := range p.Shares {
		names[s.Name] = s.Bytes
	}
	assert.Equal(t, 512*mib, names["memory_budget"])
	assert.Positive(t, names["intake_budget"])
	assert.Positive(t, names["reads"])
	assert.Equal(t, 20_000*int64(1280)+20*mib, names["sli"])
	assert.Equal(t, 30_000*int64(2048)+16*mib+20_000*2048, names["tsdb"])
	assert.Contains(t, p.String(), "limit 2.0GiB, GOMEMLIMIT 900.0MiB, intake_budget ")
	assert.Contains(t, p.String(), "memory_budget 512.0MiB, sli 44.4MiB, tsdb 113.7MiB, ")
	assert.Contains(t, p.String(), "rest ")
	assert.Contains(t, Of(shipped(nil), 2<<30, 1<<20, true).String(), "GOMEMLIMIT 1.0MiB (by the environment)")
}

// TestSharedIntake checks that receivers share the budget that any of them sets, and that the plan names the key which does.
func TestSharedIntake(t *testing.T) {
	cfg := shipped(nil)
	first, second := component.MustNewID("otlp"), component.MustNewIDWithName("otlp", "b")
	other := otlp.NewFactory().CreateDefaultConfig().(*otlp.Config)
	other.IntakeBudget = 96 << 20
	cfg.Receivers[second] = other
	intake := func() Share {
		for _, s := range Of(cfg, 2<<30, 900<<20, false).Shares {
			if s.Name == "intake_budget" {
				return s
			}
		}
		return Share{}
	}
	assert.Equal(t, "receivers::otlp::intake_budget", intake().Key, "no pipeline has the other")
	cfg.Service.Pipelines[pipeline.NewIDWithName(pipeline.SignalTraces, "b")] = &pipelines.PipelineConfig{Receivers: []component.ID{second}}
	assert.Equal(t, Share{"intake_budget", 96 * mib, "receivers::otlp/b::intake_budget"}, intake())
	cfg.Receivers[first].(*otlp.Config).IntakeBudget = 96 << 20
	assert.Equal(t, Share{"intake_budget", 96 * mib, "receivers::otlp::intake_budget"}, intake(), "the first that sets it")
}

// TestRefused checks that a plan that does not fit is refused with the keys that lower it, the largest first.
func TestRefused(t *testing.T) {
	err := Of(shipped(nil), 512<<20, 0, false).Check()
	require.ErrorContains(t, err, "and the memory limit is 512.0MiB: lower ")
	for _, key := range []string{"processors::tail_sampling::memory_budget (512.0MiB), ", "extensions::tsdb::query::memory", "receivers::otlp::intake_budget", "connectors::sli::limits::series", "extensions::tsdb::max_series", "or give the process at least "} {
		assert.ErrorContains(t, err, key)
	}
	require.NoError(t, Of(shipped(nil), 0, 0, false).Check(), "where no limit is known there is nothing to hold them against")
	assert.Contains(t, Of(shipped(nil), 0, math.MaxInt64, false).String(), "limit unknown")
	huge := Of(shipped(func(s *tailsampling.Config, _ *sli.Config, _ *tsdb.Config) { s.MemoryBudget = math.MaxInt64 }), 1<<30, 0, false)
	require.ErrorContains(t, huge.Check(), "lower processors::tail_sampling::memory_budget")
	assert.EqualValues(t, math.MaxInt64, huge.Sum())
}

// TestOneMoreSampler: each sampler has a budget of its own.
func TestOneMoreSampler(t *testing.T) {
	cfg := shipped(nil)
	in := pipeline.NewIDWithName(pipeline.SignalTraces, "sampled")
	cfg.Service.Pipelines[in].Processors = append(cfg.Service.Pipelines[in].Processors, component.MustNewIDWithName("tail_sampling", "unused"))
	p := Of(cfg, 4<<30, 0, false)
	assert.Contains(t, p.String(), "memory_budget 512.0MiB, processors::tail_sampling/unused::memory_budget 512.0MiB")
}

func TestApply(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	t.Setenv("GOMEMLIMIT", "")
	goLimit, set := Apply(1000 * mib)
	assert.Equal(t, 900*mib, goLimit)
	assert.False(t, set)
	assert.Equal(t, 900*mib, debug.SetMemoryLimit(-1))
	_, set = Apply(0)
	assert.False(t, set)
	assert.Equal(t, 900*mib, debug.SetMemoryLimit(-1), "no limit changes nothing")

	t.Setenv("GOMEMLIMIT", "77MiB") // the runtime reads it at the start of a process only
	goLimit, set = Apply(1000 * mib)
	assert.Equal(t, 900*mib, goLimit)
	assert.True(t, set)
}
