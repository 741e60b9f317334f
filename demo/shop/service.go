package shop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

var propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})

// service is one process of the shop: an HTTP server, a client, and an SDK.
type service struct {
	name   string
	sdk    *telemetry
	tracer trace.Tracer
	client *http.Client
	mux    *http.ServeMux
	server *http.Server
	url    string
}

func newService(name string, sdk *telemetry) *service {
	s := &service{
		name:   name,
		sdk:    sdk,
		tracer: sdk.Tracer("github.com/slowburn/slowburn/demo/shop/" + name),
		mux:    http.NewServeMux(),
	}
	s.client = &http.Client{
		Timeout: 2 * time.Second,
		Transport: otelhttp.NewTransport(&http.Transport{MaxIdleConnsPerHost: 64},
			otelhttp.WithTracerProvider(sdk), otelhttp.WithPropagators(propagator),
			otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method })),
	}
	return s
}

// handle serves a route; the handler's error becomes a 500.
func (s *service) handle(pattern string, handler func(ctx context.Context) error) {
	s.mux.Handle(pattern, otelhttp.NewHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := handler(r.Context()); err != nil {
			if errors.Is(err, http.ErrAbortHandler) {
				panic(err) // the server closes the connection without an answer
			}
			span := trace.SpanFromContext(r.Context())
			span.RecordError(err)
			span.SetStatus(codes.Error, err.Error())
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusOK)
	}), pattern,
		otelhttp.WithTracerProvider(s.sdk), otelhttp.WithPropagators(propagator),
		otelhttp.WithSpanNameFormatter(func(string, *http.Request) string { return pattern })))
}

func (s *service) start(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.url = "http://" + listener.Addr().String()
	s.server = &http.Server{Handler: s.mux, ReadHeaderTimeout: 5 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.server.Serve(listener) }() // ends with stop
	return nil
}

func (s *service) stop(ctx context.Context) error {
	s.client.CloseIdleConnections()
	return errors.Join(s.server.Shutdown(ctx), s.sdk.stop(ctx))
}

// call asks another service. An answer of 500 or above is an error.
func (s *service) call(ctx context.Context, method, url string) error {
	req, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%s answered %s", req.URL.Path, resp.Status)
	}
	return nil
}

// work is a step inside a service that takes about d.
func (s *service) work(ctx context.Context, name string, d time.Duration, attrs ...attribute.KeyValue) {
	_, span := s.tracer.Start(ctx, name, trace.WithAttributes(attrs...))
	pause(ctx, jitter(d))
	span.End()
}

// query is a call to a database that has no instrumentation of its own.
func (s *service) query(ctx context.Context, system, operation, table string, d time.Duration) {
	_, span := s.tracer.Start(ctx, operation+" "+table, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("db.system.name", system),
		attribute.String("db.operation.name", operation),
		attribute.String("db.collection.name", table),
		attribute.String("server.address", system+".shop.internal"),
	))
	pause(ctx, jitter(d))
	span.End()
}
