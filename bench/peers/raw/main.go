// Command raw receives OTLP trace requests over gRPC and HTTP and drops them: its cost is the least that any receiver
// can have.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/klauspost/compress/gzip"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // registers the compressor
	"google.golang.org/grpc/mem"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv("BENCH_GRPC"), os.Getenv("BENCH_HTTP")); err != nil {
		fmt.Fprintln(os.Stderr, "raw:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, grpcEndpoint, httpEndpoint string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", grpcEndpoint)
	if err != nil {
		return err
	}
	g := grpc.NewServer(grpc.ForceServerCodecV2(discard{}), grpc.MaxRecvMsgSize(64<<20))
	g.RegisterService(&grpc.ServiceDesc{
		ServiceName: "opentelemetry.proto.collector.trace.v1.TraceService",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Export", Handler: export}},
	}, nil)
	h := &http.Server{Addr: httpEndpoint, Handler: http.HandlerFunc(readBody), ReadHeaderTimeout: 5 * time.Second}
	var serving sync.WaitGroup
	var errs [2]error
	serving.Go(func() { errs[0] = g.Serve(listener) })
	serving.Go(func() {
		if err := h.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			errs[1] = err
		}
	})
	<-ctx.Done()
	g.Stop()
	_ = h.Close()
	serving.Wait()
	return errors.Join(errs[:]...)
}

//nolint:revive // the order is grpc.MethodDesc's
func export(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	return struct{}{}, decode(nil)
}

var readers = sync.Pool{New: func() any { return new(gzip.Reader) }}

func readBody(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		zip := readers.Get().(*gzip.Reader)
		defer readers.Put(zip)
		if err := zip.Reset(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = zip
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// discard is a codec that does not decode.
type discard struct{}

var _ encoding.CodecV2 = discard{}

func (discard) Marshal(any) (mem.BufferSlice, error) { return nil, nil }
func (discard) Unmarshal(mem.BufferSlice, any) error { return nil }
func (discard) Name() string                         { return "proto" }
