package tailsampling

import (
	"fmt"
	"math"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/processor"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
)

// Replay decides recorded traces as the processor would have decided them, without waiting: its clock is the spans'. A
// request comes when the latest span in it or before it had ended. It is not safe for concurrent use.
type Replay struct {
	sampler *Sampler
	in      ingest
	request wire.Request
	began   uint64 // Unix nanoseconds
	now     int64
	seen    map[wire.TraceID]struct{}
	order   []wire.TraceID // in which traces were first seen
}

// NewReplay returns one for the configuration. What that says of storage and shards has no meaning here.
func NewReplay(cfg *Config) (*Replay, error) {
	mine := *cfg
	mine.Storage, mine.NumShards, mine.MemoryBudget, mine.NumTraces = storageMemory, 1, math.MaxInt64/4, 0
	mine.Explain.Decisions, mine.Compression = maxCacheSize, compressNever
	if err := mine.Validate(); err != nil {
		return nil, err
	}
	set := processor.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: component.TelemetrySettings{
		Logger: zap.NewNop(), MeterProvider: metricnoop.NewMeterProvider(), TracerProvider: tracenoop.NewTracerProvider(),
	}}
	p, err := newSampler(set, &mine, nil) // nothing is started, and so nothing passed on
	if err != nil {
		return nil, err
	}
	return &Replay{sampler: p, seen: map[wire.TraceID]struct{}{}}, nil
}

// Add takes an OTLP trace request in protobuf. Of spans without a trace ID it takes none.
func (r *Replay) Add(request []byte) error {
	if err := r.request.Scan(request); err != nil {
		return fmt.Errorf("read spans: %w", err)
	}
	r.advance()
	r.in.prepare(r.sampler, &r.request)
	s := r.sampler.shards[0]
	s.log.SetTime(s.unixMilli(r.now))
	for _, i := range r.in.order {
		id := r.request.Spans[i].TraceID
		if _, known := r.seen[id]; !known {
			r.seen[id] = struct{}{}
			r.order = append(r.order, id)
		}
		s.add(&r.in, i, r.now)
	}
	s.review(r.now)
	r.pass()
	r.deliver()
	return nil
}

// advance brings the clock to when the request came, and decides what was due until then.
func (r *Replay) advance() {
	var ended uint64
	for i := range r.request.Spans {
		ended = max(ended, r.request.Spans[i].End)
	}
	if r.began == 0 {
		r.began = ended
		r.sampler.shards[0].epoch = int64(ended / 1e6)
	}
	if ended > r.began {
		r.decideUntil(max(r.now, int64(min(ended-r.began, math.MaxInt64))))
	}
}

// decideUntil decides, in its time, what is due until then.
func (r *Replay) decideUntil(end int64) {
	s := r.sampler.shards[0]
	for {
		n, at, _ := s.first()
		if n == 0 || at > end {
			break
		}
		r.now = max(r.now, at)
		s.due(r.now)
		r.pass()
		r.deliver()
	}
	if end != never {
		r.now = end
	}
}

// pass passes the notices of links on, as Sampler.pass does, by this clock.
func (r *Replay) pass() {
	s := r.sampler.shards[0]
	for len(s.notices) > 0 {
		notices := s.notices
		s.notices = nil
		for _, told := range notices {
			s.hear(told, uint32(r.sampler.seed.hash(told.trace)), r.now)
		}
	}
}

// deliver lets go of what was kept.
func (r *Replay) deliver() {
	s := r.sampler.shards[0]
	for !s.ready.empty() {
		n := s.ready.head
		s.ready.remove(&s.entries, n)
		s.stats.undelivered--
		s.stats.undeliveredBytes -= int64(s.entries.At(n).bytes)
		s.free(n, r.now)
	}
}

// Finish decides what is left, as if nothing more had come, and returns the decisions about all traces, in the order in
// which their first spans came, and what the policies did.
func (r *Replay) Finish() ([]Explanation, []PolicyStatus) {
	r.decideUntil(never)
	decisions := make([]Explanation, 0, len(r.order))
	for _, id := range r.order {
		if e, ok := r.sampler.Explain(id); ok {
			decisions = append(decisions, e)
		}
	}
	return decisions, r.sampler.Status().Policies
}
