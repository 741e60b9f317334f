package tailsampling

import (
	"fmt"
	"math"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/processor"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// Replay decides recorded traces as the processor would have, without waiting: the spans' timestamps drive its clock.
// A request arrives when the latest span up to and including it has ended. It is not safe for concurrent use.
type Replay struct {
	sampler *Sampler
	in      intake.Request
	request wire.Request
	began   uint64 // Unix nanoseconds
	now     clock.Monotonic
	seen    map[wire.TraceID]struct{}
	order   []wire.TraceID // by first span
}

// NewReplay returns a Replay of the configuration; storage and shards are its own.
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
	p, err := newSampler(set, &mine, nil, nil) // never started, so it delivers nothing
	if err != nil {
		return nil, err
	}
	return &Replay{sampler: p, seen: map[wire.TraceID]struct{}{}}, nil
}

// Add takes an OTLP trace request in protobuf. It skips spans without a trace ID.
func (r *Replay) Add(request []byte) error {
	if err := r.request.Scan(request); err != nil {
		return fmt.Errorf("read spans: %w", err)
	}
	r.advance()
	p, m := r.sampler, r.member()
	r.in.Prepare(&r.request, p.policies.versions.Current(), p.buffer.Seed, 1)
	m.Log.SetTime(int64(p.buffer.UnixMilli(r.now)))
	for _, spans := range r.in.ByShard {
		for _, i := range spans {
			id := r.request.Spans[i].TraceID
			if _, known := r.seen[id]; !known {
				r.seen[id] = struct{}{}
				r.order = append(r.order, id)
			}
			m.Add(&r.in, i, r.now)
		}
	}
	m.Review(r.now)
	r.follow()
	return nil
}

// member returns the one shard. No other goroutine uses it, so it is not locked.
func (r *Replay) member() *buffer.Member { return r.sampler.buffer.Members[0] }

// advance sets the clock to the arrival of the request, and decides the traces that were due before.
func (r *Replay) advance() {
	var ended uint64
	for i := range r.request.Spans {
		ended = max(ended, r.request.Spans[i].End)
	}
	if r.began == 0 {
		r.began = ended
		r.sampler.buffer.Epoch = clock.EpochAt(clock.UnixMilli(ended / 1e6))
	}
	if ended > r.began {
		r.decideUntil(max(r.now, clock.Monotonic(min(ended-r.began, math.MaxInt64))))
	}
}

// decideUntil decides traces at the times they are due, up to end.
func (r *Replay) decideUntil(end clock.Monotonic) {
	m := r.member()
	for {
		at := m.Next()
		if at == shard.Never || at > end {
			break
		}
		r.now = max(r.now, at)
		m.Due(r.now)
		r.follow()
	}
	if end != shard.Never {
		r.now = end
	}
}

// follow delivers the messages between linked traces and gives up the kept traces.
func (r *Replay) follow() {
	m := r.member()
	for messages := m.EndVisit().Messages; len(messages) > 0; messages = m.EndVisit().Messages {
		for _, message := range messages {
			m.Receive(message, uint32(r.sampler.buffer.Seed.Hash(message.Trace)), r.now)
		}
	}
	for d := range r.sampler.buffer.Destinations {
		out := m.Outgoing(shard.Destination(d))
		for k, more := out.Next(); more; k, more = out.Next() {
			out.Take(k.Slot, r.now)
			out.Delivered(k.Slot, r.now)
		}
	}
}

// Finish decides the remaining traces as if no more spans came. It returns the decisions about all traces in the order
// of their first spans, and the counts by policy.
func (r *Replay) Finish() ([]Explanation, []PolicyStatus) {
	r.decideUntil(shard.Never)
	decisions := make([]Explanation, 0, len(r.order))
	for _, id := range r.order {
		if e, ok := r.sampler.view.Explain(id, r.now); ok {
			decisions = append(decisions, e)
		}
	}
	return decisions, r.sampler.Status().Policies
}
