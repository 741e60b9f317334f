// Package sink is an OTLP/gRPC backend that counts what it receives, trace by trace, and keeps nothing else.
package sink

import (
	"context"
	"iter"
	"net"
	"sync"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/slowburn/slowburn/bench/load"
)

// Sink counts the spans of each generated trace. Safe for concurrent use.
type Sink struct {
	ptraceotlp.UnimplementedGRPCServer

	listener net.Listener
	server   *grpc.Server

	mu      sync.Mutex
	spans   map[uint64]uint8 // by the trace's number
	total   uint64
	foreign uint64
}

// Start listens on a loopback port until Stop. ctx bounds only the call.
func Start(ctx context.Context) (*Sink, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Sink{listener: listener, server: grpc.NewServer(grpc.MaxRecvMsgSize(256 << 20)), spans: map[uint64]uint8{}}
	ptraceotlp.RegisterGRPCServer(s.server, s)
	go func() { _ = s.server.Serve(listener) }() // ends with Stop
	return s, nil
}

// Endpoint returns the sink's address, host:port.
func (s *Sink) Endpoint() string { return s.listener.Addr().String() }

// Stop stops the sink.
func (s *Sink) Stop() { s.server.Stop() }

// Export implements the OTLP trace service.
func (s *Sink) Export(_ context.Context, req ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rs := range req.Traces().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			s.count(ss.Spans())
		}
	}
	return ptraceotlp.NewExportResponse(), nil
}

func (s *Sink) count(spans ptrace.SpanSlice) {
	for _, span := range spans.All() {
		s.total++
		id := span.TraceID()
		if seq, ok := load.Sequence(id[:]); ok {
			s.spans[seq]++
		} else {
			s.foreign++
		}
	}
}

// Tally counts traces that were sent and their spans that arrived.
type Tally struct {
	// Sent and Kept count traces by flavour. A kept trace is one of which a span arrived.
	Sent, Kept [3]int
	// Torn counts kept traces with a span that did not arrive exactly once.
	Torn int
}

// Tally compares the spans that arrived with the traces that were sent, by number.
func (s *Sink) Tally(mix load.Mix, sent iter.Seq[uint64]) Tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	var t Tally
	for seq := range sent {
		flavour := mix.Flavour(seq)
		t.Sent[flavour]++
		if n := s.spans[seq]; n > 0 {
			t.Kept[flavour]++
			if n != load.SpansPerTrace {
				t.Torn++
			}
		}
	}
	return t
}
