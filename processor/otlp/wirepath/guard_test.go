package wirepath_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/otlp/wirepath"
)

// TestGuard checks that an exporter made with the Collector's helper does not get the calls for others, and gets all its own. The
// helper itself passes empty traces on, with a queue as well as without.
func TestGuard(t *testing.T) {
	empty, full := ptrace.NewTraces, func() ptrace.Traces {
		td := ptrace.NewTraces()
		td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		return td
	}
	plain := t.Context()
	kept := wire.NewKeptContext(plain, &wire.Kept{To: "otlp_grpc"})
	for _, queued := range []bool{false, true} {
		for _, c := range []struct {
			name            string
			ctx             context.Context
			td              func() ptrace.Traces
			guarded, helper int // calls
		}{
			{"for another destination", kept, empty, 0, 1},
			{"decoded", kept, full, 1, 1},
			{"no sampler in front", plain, full, 1, 1},
			{"empty, no sampler in front", plain, empty, 1, 1},
		} {
			t.Run(c.name, func(t *testing.T) {
				for guarded, want := range map[bool]int{true: c.guarded, false: c.helper} {
					calls := 0
					f := helped("kafka", queued, &calls)
					if guarded {
						f = wirepath.Guard(f)
					}
					e, err := f.CreateTraces(t.Context(), exportertest.NewNopSettings(component.MustNewType("kafka")), nil)
					require.NoError(t, err)
					assert.False(t, e.Capabilities().MutatesData)
					require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
					require.NoError(t, e.ConsumeTraces(c.ctx, c.td()))
					require.NoError(t, e.Shutdown(t.Context()))
					assert.Equal(t, want, calls, "queued: %t", queued)
				}
			})
		}
	}
}

// TestGuardLeavesOthers checks that an exporter of kept traces is not wrapped, and that errors are passed on.
func TestGuardLeavesOthers(t *testing.T) {
	for _, typ := range []string{"otlp_grpc", "otlp_http", "trace_store"} {
		f := helped(typ, false, new(int))
		assert.Equal(t, f, wirepath.Guard(f), typ)
	}
	typ := component.MustNewType("kafka")
	_, err := wirepath.Guard(exporter.NewFactory(typ, nil, exporter.WithTraces(
		func(context.Context, exporter.Settings, component.Config) (exporter.Traces, error) {
			return nil, errors.New("no brokers")
		}, component.StabilityLevelDevelopment))).CreateTraces(t.Context(), exportertest.NewNopSettings(typ), nil)
	require.EqualError(t, err, "no brokers")
}

// helped is the factory of an exporter that counts its calls, made with the Collector's helper.
func helped(name string, queued bool, calls *int) exporter.Factory {
	typ := component.MustNewType(name)
	queue := configoptional.None[exporterhelper.QueueBatchConfig]()
	if queued {
		queue = configoptional.Some(exporterhelper.NewDefaultQueueConfig())
	}
	return exporter.NewFactory(typ, func() component.Config { return &struct{}{} }, exporter.WithTraces(
		func(ctx context.Context, set exporter.Settings, _ component.Config) (exporter.Traces, error) {
			return exporterhelper.NewTraces(ctx, set, &struct{}{}, func(context.Context, ptrace.Traces) error {
				*calls++
				return nil
			}, exporterhelper.WithQueue(queue), exporterhelper.WithCapabilities(consumer.Capabilities{}))
		}, component.StabilityLevelDevelopment))
}
