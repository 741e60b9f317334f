package delivery

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/destination"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// never is no deadline.
var never = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// setup is the senders' environment: a buffer in memory that keeps everything, and a next component.
type setup struct {
	*Output
	t      testing.TB
	sink   *sink
	logs   *observer.ObservedLogs
	config []destination.Destination
}

// newSetup has these destinations, or by default one that takes decoded spans.
func newSetup(t testing.TB, shards int, destinations ...destination.Destination) *setup {
	t.Helper()
	set, err := policy.Compile([]policy.Config{{Name: "all", Type: policy.AlwaysSample}}, policy.Options{})
	require.NoError(t, err)
	names := version.NewNames()
	v, err := version.New(1, set, nil, names)
	require.NoError(t, err)
	shared := &shard.Shared{
		Destinations: Keys(destinations),
		Waits:        shard.Waits{Decision: time.Hour}, TraceSize: shard.MaxTraceSize, ReviveUpTo: 1,
		Pool: spanlog.NewPool(256<<20, shards), Epoch: clock.NewEpoch(), Seed: index.Seed{1, 2},
		Limits: shard.Limits{Sampled: 100, Dropped: 100},
	}
	core, logs := observer.New(zap.DebugLevel)
	b := buffer.New(shared, shards, v, zap.New(core))
	b.SetReady()
	out := &setup{t: t, sink: &sink{accepted: map[string][][]byte{}}, logs: logs, config: destinations}
	out.Output = &Output{
		Settings: Settings{Patience: time.Hour},
		Next:     out.sink, Names: names, Buffer: b, Services: new(tally.Services), Stages: new(tally.Stages), Logger: zap.New(core),
	}
	return out
}

// asBytes is a destination that takes wire bytes.
func asBytes(id string) destination.Destination {
	return destination.Destination{ID: id, Pipeline: "traces", Bytes: true, Exporters: []string{id}}
}

// sink is the next component, the fan-out and all exporters in one. It keeps what they accept.
type sink struct {
	mu       sync.Mutex
	calls    []time.Time
	batches  []ptrace.Traces
	to       []string            // by batch, its destination
	accepted map[string][][]byte // by destination, the traces of each request by the first byte of their IDs
	deaf     bool                // it ignores wire bytes
	// accept, if set, returns the result of a call.
	accept func(ctx context.Context, call int) error
	// answer, if set, returns a destination's answer to a request with these traces. The destination of decoded spans is "".
	answer func(to string, traces []byte) error
	kept   func(*wire.Kept) // if set, changes the Kept as an exporter may
	// arrived, if set, gets the accepted traces instead of the lists above.
	arrived func(ptrace.Traces)
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

func (s *sink) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	s.mu.Lock()
	call := len(s.calls)
	s.calls = append(s.calls, time.Now())
	accept, answer := s.accept, s.answer
	s.mu.Unlock()
	to := ""
	if k := wire.KeptOf(ctx); k != nil && td.SpanCount() == 0 {
		if s.deaf {
			return nil
		}
		to = k.To
		k.Take()
		if s.kept != nil {
			s.kept(k)
		}
		var err error
		if td, err = k.Decode(); err != nil {
			return err
		}
	}
	if accept != nil {
		if err := accept(ctx, call); err != nil {
			return err
		}
	}
	if answer != nil {
		if err := answer(to, tracesIn(td)); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.arrived != nil {
		s.arrived(td)
		return nil
	}
	s.batches, s.to = append(s.batches, td), append(s.to, to)
	s.accepted[to] = append(s.accepted[to], tracesIn(td))
	return nil
}

// tracesIn returns the traces of a request, by the first byte of their IDs.
func tracesIn(td ptrace.Traces) (batch []byte) {
	for _, span := range spansOf(td) {
		if id := span.TraceID()[0]; len(batch) == 0 || batch[len(batch)-1] != id {
			batch = append(batch, id)
		}
	}
	return batch
}

// got returns the traces that a destination accepted, in order.
func (s *sink) got(to string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.accepted[to]...)
}

// traces returns the accepted traces in order, by the first byte of their IDs, one list per batch.
func (s *sink) traces() (list [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, td := range s.batches {
		list = append(list, tracesIn(td))
	}
	return list
}

func (s *sink) callCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

func spansOf(td ptrace.Traces) (list []ptrace.Span) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				list = append(list, span)
			}
		}
	}
	return list
}

// testSpan describes a span.
type testSpan struct {
	trace, id      byte
	start          uint64
	service, scope string
	bytes          int    // of the body; 0 is as needed
	state          string // tracestate
}

func (s testSpan) put(t testing.TB, td ptrace.Traces) {
	rs := td.ResourceSpans().AppendEmpty()
	if s.service != "" {
		rs.Resource().Attributes().PutStr("service.name", s.service)
	}
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName(s.scope)
	span := ss.Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID{s.trace, 15: 1})
	span.SetSpanID(pcommon.SpanID{s.id + 1})
	span.SetStartTimestamp(pcommon.Timestamp(s.start))
	span.TraceState().FromRaw(s.state)
	if s.bytes > 0 {
		var m ptrace.ProtoMarshaler
		for m.SpanSize(span) < s.bytes {
			span.SetName(strings.Repeat("x", len(span.Name())+max(1, s.bytes-m.SpanSize(span)-8)))
		}
		require.Equal(t, s.bytes, m.SpanSize(span), "no span can have so many bytes")
	}
}

// keep accepts a request and decides it.
func (s *setup) keep(spans ...testSpan) {
	s.t.Helper()
	td := ptrace.NewTraces()
	for _, span := range spans {
		span.put(s.t, td)
	}
	s.keepTraces(td)
}

func (s *setup) keepTraces(td ptrace.Traces) {
	s.t.Helper()
	s.add(td)
	s.decide()
}

// decide decides all accepted traces.
func (s *setup) decide() {
	for _, m := range s.Buffer.Members {
		m.Lock()
		m.DecideAll(false, s.Buffer.Now())
		m.FinishAll(s.Buffer.Now())
		s.Buffer.Leave(m)
	}
}

// add accepts a request.
func (s *setup) add(td ptrace.Traces) {
	s.t.Helper()
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(s.t, err)
	r := new(wire.Request)
	require.NoError(s.t, r.Scan(b))
	var in intake.Request
	in.Prepare(r, s.Buffer.Members[0].Versions().Current(), s.Buffer.Seed, len(s.Buffer.Members))
	require.NoError(s.t, s.Buffer.Add(&in, never))
}

// running is running senders, in a bubble.
type running struct {
	senders []*Sender
	drain   chan struct{}
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

func (s *setup) run(n int) *running {
	s.Open(s.config, n)
	r := &running{senders: s.Senders(), drain: make(chan struct{})}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	for _, m := range r.senders {
		r.done.Go(func() { m.Run(ctx, r.drain) })
	}
	synctest.Wait()
	return r
}

// end drains the senders.
func (r *running) end() {
	close(r.drain)
	r.done.Wait()
	r.cancel()
}

// abort ends them at once.
func (r *running) abort() {
	r.cancel()
	r.done.Wait()
}

// badLog is a log whose records cannot all be read.
type badLog struct {
	*spanlog.Log
	// bad, if it returns true, replaces the i-th record of the n-th reading.
	bad      func(reading, i int) (spanlog.Record, error, bool)
	readings int
}

var errDisk = errors.New("the disk is broken")

func (l *badLog) Records(c spanlog.Chain, pause spanlog.Pause) iter.Seq2[spanlog.Record, error] {
	reading := l.readings
	l.readings++
	return func(yield func(spanlog.Record, error) bool) {
		i := -1
		for r, err := range l.Log.Records(c, pause) {
			i++
			if other, failed, isBad := l.bad(reading, i); isBad {
				r, err = other, failed
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// breakLog replaces a member's log by a badLog.
func breakLog(m *buffer.Member, bad func(reading, i int) (spanlog.Record, error, bool)) *badLog {
	l := &badLog{Log: m.Log, bad: bad}
	m.Open(l, shard.NoJournal{})
	return l
}

func request(t testing.TB, spans ...testSpan) ptrace.Traces {
	td := ptrace.NewTraces()
	for _, span := range spans {
		span.put(t, td)
	}
	return td
}

// losses returns the logged losses in one line.
func (s *setup) losses() map[string]any {
	s.LogLosses(false)
	lines := s.logs.FilterMessage("kept traces given up").All()
	require.Len(s.t, lines, 1)
	return lines[0].ContextMap()
}

// bodyOf returns the message body of the only span.
func bodyOf(t testing.TB, td ptrace.Traces) []byte {
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	var r wire.Request
	require.NoError(t, r.Scan(b))
	return append([]byte(nil), r.Spans[0].Body.Of(b)...)
}

// fault is the kernel's signal when a disk fails under a mapped file.
type fault struct{}

func (fault) Error() string { return "fault" }
func (fault) RuntimeError() {}
func (fault) Addr() uintptr { return 1 }
