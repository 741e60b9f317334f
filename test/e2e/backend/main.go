// Command backend is a tracing backend for the end-to-end tests, in a process of its own. It takes OTLP by gRPC and by HTTP,
// keeps every span that it accepts, and shows them as one OTLP protobuf request on GET /spans. The list of rules that POST
// /rules sets says which requests it does not accept, and what it answers them. GET /state counts. Requests that have the
// header "tenant" have rules and spans of their own; the three take the parameter "tenant".
//
// With --collector its doors are the Collector's own OTLP receiver, which answers as Collectors do: from a rule it takes the
// gRPC code only, and knows no tenants.
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
	// maxBytes is how large a request may be.
	maxBytes int
	// token is what a request must have as its bearer token; empty if anybody may send.
	token string
	// certificate and key are files; without them nothing is encrypted.
	certificate, key string
	collector        bool
}

func main() {
	var s settings
	flag.StringVar(&s.grpc, "grpc", "", "host:port to take OTLP/gRPC on")
	flag.StringVar(&s.http, "http", "", "host:port to take OTLP/HTTP on")
	flag.StringVar(&s.control, "control", "", "host:port to be asked on")
	flag.IntVar(&s.maxBytes, "max-bytes", 4<<20, "how large a request may be")
	flag.StringVar(&s.token, "token", "", "the bearer token that a request must have")
	flag.StringVar(&s.certificate, "certificate", "", "PEM file for TLS")
	flag.StringVar(&s.key, "key", "", "PEM file for TLS")
	flag.BoolVar(&s.collector, "collector", false, "take OTLP by the Collector's receiver")
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
