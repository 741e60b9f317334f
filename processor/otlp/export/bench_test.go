package export_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"

	"github.com/slowburn/slowburn/processor/otlp/export"
)

// BenchmarkExport sends requests of 1 MiB to a server in the same process that reads and drops them. It reports per span, the
// server's work included. "collector" is the Collector's exporter with decoded spans.
func BenchmarkExport(b *testing.B) {
	const spans = 1 << 20 / 510
	drop := dropGRPC(b)
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(web.Close)
	for _, bench := range []struct {
		name      string
		ours      exporter.Factory
		collector exporter.Factory
		keys      map[string]any
	}{
		{"grpc", export.NewGRPCFactory(), otlpexporter.NewFactory(), map[string]any{"endpoint": drop, "tls": map[string]any{"insecure": true}}},
		{"http", export.NewHTTPFactory(), otlphttpexporter.NewFactory(), map[string]any{"endpoint": web.URL}},
	} {
		for _, compression := range []string{"none", "gzip"} {
			bench.keys["compression"] = compression
			bench.keys["sending_queue"] = map[string]any{"enabled": false}
			bench.keys["retry_on_failure"] = map[string]any{"enabled": false}
			td := traces(spans)
			b.Run(bench.name+" "+compression, func(b *testing.B) {
				e := run(b, bench.ours, componenttest.NewNopHost(), bench.keys)
				k := keptOf(b, td)
				b.SetBytes(int64(len(k.AppendRequest(nil, 0, len(k.Spans)))))
				b.ReportAllocs()
				for b.Loop() {
					for i := range k.Spans {
						k.Spans[i].Sent = false
					}
					require.NoError(b, e.send(k))
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
			})
			b.Run(bench.name+" "+compression+" collector", func(b *testing.B) {
				set := exportertest.NewNopSettings(bench.collector.Type())
				e, err := bench.collector.CreateTraces(context.Background(), set, configOf(b, bench.collector, bench.keys))
				require.NoError(b, err)
				require.NoError(b, e.Start(context.Background(), componenttest.NewNopHost()))
				b.ReportAllocs()
				for b.Loop() {
					require.NoError(b, e.ConsumeTraces(context.Background(), td))
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
				require.NoError(b, e.Shutdown(context.Background()))
			})
		}
	}
}

// dropGRPC is a server that accepts everything without decoding it.
func dropGRPC(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	s := grpc.NewServer(grpc.ForceServerCodecV2(dropCodec{}), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		if err := stream.RecvMsg(nil); err != nil {
			return err
		}
		return stream.SendMsg(nil)
	}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	b.Cleanup(func() {
		s.Stop()
		<-done
	})
	return l.Addr().String()
}

type dropCodec struct{}

func (dropCodec) Marshal(any) (mem.BufferSlice, error)     { return nil, nil }
func (dropCodec) Unmarshal(_ mem.BufferSlice, _ any) error { return nil }
func (dropCodec) Name() string                             { return "proto" }
