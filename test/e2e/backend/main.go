// Command backend is a tracing backend for the end-to-end tests. It receives OTLP/gRPC and OTLP/HTTP, stores every span that it
// accepts, and answers GET /spans with all of them as one OTLP protobuf request. POST /rules sets a list of rules for the requests
// that it refuses, with their answers. GET /state answers with counts. A request with the header "tenant" belongs to that tenant,
// which has its own rules and spans: the three paths have the parameter "tenant".
//
// With --collector it receives by the Collector's OTLP receiver, which answers as Collectors do: it uses only the gRPC code of a
// rule, and has no tenants.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings are the command line.
type settings struct {
	grpc, http, control string
	// maxBytes is the largest size of a request.
	maxBytes int
	// token is the bearer token that requests must have; empty if they need none.
	token string
	// certificate and key are files for TLS; without them there is no TLS.
	certificate, key string
	collector        bool
}

func main() {
	var s settings
	flag.StringVar(&s.grpc, "grpc", "", "host:port for OTLP/gRPC")
	flag.StringVar(&s.http, "http", "", "host:port for OTLP/HTTP")
	flag.StringVar(&s.control, "control", "", "host:port for /spans, /state and /rules")
	flag.IntVar(&s.maxBytes, "max-bytes", 4<<20, "the largest size of a request")
	flag.StringVar(&s.token, "token", "", "the bearer token that a request must have")
	flag.StringVar(&s.certificate, "certificate", "", "PEM file for TLS")
	flag.StringVar(&s.key, "key", "", "PEM file for TLS")
	flag.BoolVar(&s.collector, "collector", false, "receive OTLP by the Collector's receiver")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "backend:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	b := newStore()
	open := openDoors
	if s.collector {
		open = openCollector
	}
	closeDoors, err := open(ctx, s, b)
	if err != nil {
		return err
	}
	defer closeDoors()

	mux := http.NewServeMux()
	mux.HandleFunc("GET /spans", b.showSpans)
	mux.HandleFunc("GET /state", b.showState)
	mux.HandleFunc("POST /rules", b.setRules)
	server := &http.Server{Addr: s.control, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
