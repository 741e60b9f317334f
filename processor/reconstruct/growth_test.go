package reconstruct

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
)

// For any input, reconstructing it, writing the findings, and passing it on take n log n at most, through either door.
func TestNeverMoreThanNLogN(t *testing.T) {
	r := start(t, defaultConfig())
	t.Run("bytes", func(t *testing.T) {
		tracetest.RequireGrowth(t, tracetest.Hostile, 150, func(t *testing.T, td ptrace.Traces) func() {
			body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
			require.NoError(t, err)
			return func() {
				var request wire.Request
				if err := request.Scan(body); err != nil {
					panic(err)
				}
				var k wire.Kept
				if _, err := k.Fill(&request); err != nil {
					panic(err)
				}
				if err := r.ConsumeTraces(wire.NewKeptContext(context.Background(), &k), ptrace.NewTraces()); err != nil {
					panic(err)
				}
				k.AppendRequest(nil, 0, len(k.Spans))
			}
		})
	})
	t.Run("decoded", func(t *testing.T) {
		tracetest.RequireGrowth(t, tracetest.Hostile, 150, func(_ *testing.T, td ptrace.Traces) func() {
			return func() {
				if err := r.ConsumeTraces(context.Background(), td); err != nil {
					panic(err)
				}
				r.sink.Reset()
			}
		})
	})
}
