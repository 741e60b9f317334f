// Command backend is a tracing backend for the end-to-end tests: the Collector's own OTLP receiver in a process of its
// own. It keeps every span that it accepts and shows them as one OTLP protobuf request on GET /spans; while it is
// told to fail (POST /fail?on=true) it refuses with a retryable error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

func main() {
	endpoint := flag.String("endpoint", "", "host:port to take OTLP/gRPC on")
	control := flag.String("control", "", "host:port to be asked on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *endpoint, *control); err != nil {
		fmt.Fprintln(os.Stderr, "backend:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, endpoint, control string) error {
	factory := otlpreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(map[string]any{
		"protocols": map[string]any{"grpc": map[string]any{"endpoint": endpoint, "max_recv_msg_size_mib": 64}},
	}).Unmarshal(cfg); err != nil {
		return err
	}
	kept := &kept{spans: ptrace.NewTraces()}
	next, err := consumer.NewTraces(kept.consume)
	if err != nil {
		return err
	}
	rcv, err := factory.CreateTraces(ctx, receivertest.NewNopSettings(component.MustNewType("otlp")), cfg, next)
	if err != nil {
		return err
	}
	if err := rcv.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /spans", kept.show)
	mux.HandleFunc("POST /fail", kept.setFailing)
	server := &http.Server{Addr: control, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return rcv.Shutdown(context.WithoutCancel(ctx))
}

// kept is what the backend has accepted. Safe for concurrent use.
type kept struct {
	failing atomic.Bool
	mu      sync.Mutex
	spans   ptrace.Traces
}

func (k *kept) consume(_ context.Context, td ptrace.Traces) error {
	if k.failing.Load() {
		return errors.New("the backend was told to fail")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	td.ResourceSpans().MoveAndAppendTo(k.spans.ResourceSpans())
	return nil
}

func (k *kept) show(w http.ResponseWriter, _ *http.Request) {
	k.mu.Lock()
	body, err := new(ptrace.ProtoMarshaler).MarshalTraces(k.spans)
	k.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(body)
}

func (k *kept) setFailing(_ http.ResponseWriter, r *http.Request) {
	k.failing.Store(r.FormValue("on") == "true")
}
