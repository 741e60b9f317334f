package memorylimiter_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/memorylimiter"
)

// BenchmarkRequest measures a request of wire bytes, here and in the Collector's processor, which counts none of its spans.
func BenchmarkRequest(b *testing.B) {
	for name, f := range map[string]processor.Factory{"ours": memorylimiter.NewFactory(), "the Collector's": memorylimiterprocessor.NewFactory()} {
		b.Run(name, func(b *testing.B) {
			tel := componenttest.NewTelemetry()
			set := processortest.NewNopSettings(f.Type())
			set.TelemetrySettings = tel.NewTelemetrySettings()
			cfg := limits[false]
			p, err := f.CreateTraces(b.Context(), set, &cfg, consumertest.NewNop())
			require.NoError(b, err)
			require.NoError(b, p.Start(b.Context(), componenttest.NewNopHost()))
			ctx, empty := wire.NewContext(b.Context(), request(100)), ptrace.NewTraces()
			b.ReportAllocs()
			for b.Loop() {
				if err := p.ConsumeTraces(ctx, empty); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, p.Shutdown(context.Background()))
			require.NoError(b, tel.Shutdown(context.Background()))
		})
	}
}
