package otlp

import (
	"context"
	"fmt"
	"testing"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// BenchmarkDoor sends a request of 100 small spans from the body to the first consumer, on the wire path and off it.
func BenchmarkDoor(b *testing.B) {
	const spans = 100
	td, _ := someTraces(spans, false)
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	if err != nil {
		b.Fatal(err)
	}
	r := &otlpReceiver{set: receivertest.NewNopSettings(NewFactory().Type())}
	obs, err := r.newObsReport("grpc")
	if err != nil {
		b.Fatal(err)
	}
	budget := intake.NewBudget(64 << 20)
	taker, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) error {
		if td.ResourceSpans().Len() > 0 {
			return nil
		}
		_, release, err := wire.Of(ctx, td)
		release()
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, on := range []bool{true, false} {
		b.Run(fmt.Sprintf("wire_path=%t", on), func(b *testing.B) {
			d := tracesDoor{next: taker, obs: obs, wirePath: on, maxResource: defaultResourceSize}
			b.ReportAllocs()
			for b.Loop() {
				q := budget.Begin()
				if err := q.Borrow(body); err != nil {
					b.Fatal(err)
				}
				if _, err := d.Export(b.Context(), protobufEncoding, q); err != nil {
					b.Fatal(err)
				}
				q.End()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
		})
	}
}
