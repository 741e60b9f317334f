package tailsampling

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// maxEmitters bounds how many calls of the next component run at once.
const maxEmitters = 8

// gatherFor is the least time between two batches, unless there is enough for a full one: what a call of the next
// component costs by itself is most of what one with few traces does.
const gatherFor = 100 * time.Millisecond

// After a retryable error an emitter waits half a second, later up to half a minute, with jitter.
const (
	firstBackoff = 500 * time.Millisecond
	mostBackoff  = 30 * time.Second
)

// emitter delivers the kept traces of its shards, in the order in which they were decided in each.
type emitter struct {
	sampler *Sampler
	shards  []*shard
	wake    chan struct{}
	hurry   chan struct{} // ends gathering: what waits to be delivered is in the way
	batch   *batch
	backoff backoff.ExponentialBackOff
	next    int64        // when the next batch is taken, if that was not full
	retryAt atomic.Int64 // when it tries again after an error, 0 if it does not wait
	calling atomic.Int64 // since when the next component has not returned, 0 if it is not being called
}

func newEmitter(p *Sampler) *emitter {
	return &emitter{
		sampler: p,
		wake:    make(chan struct{}, 1),
		hurry:   make(chan struct{}, 1),
		batch:   newBatch(),
		backoff: backoff.ExponentialBackOff{
			InitialInterval: firstBackoff, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: mostBackoff,
		},
	}
}

// run delivers until drain is closed and nothing is left, or ctx is done. Closing drain also ends a pause after an
// error: what can still be delivered is worth a try.
func (m *emitter) run(ctx context.Context, drain <-chan struct{}) {
	for {
		m.gather(ctx, drain)
		if !m.take() {
			if m.batch.err != nil {
				m.sampler.complain("kept traces cannot be read back: they are tried again", m.batch.err, 0)
				if !m.pause(ctx, m.backoff.NextBackOff(), drain) {
					return
				}
				continue
			}
			select {
			case <-m.wake:
				continue
			case <-ctx.Done():
				return
			case <-drain:
			}
			if !m.take() {
				if m.batch.err != nil {
					continue
				}
				return
			}
		}
		delay, retry := m.deliver(ctx)
		if !retry {
			continue
		}
		if !m.pause(ctx, delay, drain) {
			return
		}
	}
}

// gather waits until it is time for the next batch.
func (m *emitter) gather(ctx context.Context, drain <-chan struct{}) {
	d := time.Duration(m.next - m.sampler.now())
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-m.hurry:
	case <-drain:
	case <-ctx.Done():
	}
}

// pause waits, and tells others that it does.
func (m *emitter) pause(ctx context.Context, delay time.Duration, drain <-chan struct{}) bool {
	m.retryAt.Store(m.sampler.now() + int64(delay))
	defer m.retryAt.Store(0)
	return m.wait(ctx, delay, drain)
}

// wait pauses after an error, and reports whether to go on. The first time that drain is seen it ends at once.
func (m *emitter) wait(ctx context.Context, delay time.Duration, drain <-chan struct{}) bool {
	select {
	case <-drain: // was closed before
		drain = nil
	default:
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-drain:
		m.backoff.Reset()
	case <-ctx.Done():
		return false
	}
	return true
}

// take fills the batch with what is ready, and reports whether there was anything.
func (m *emitter) take() bool {
	m.batch.reset()
	m.next = 0
	full := false
	for _, s := range m.shards {
		s.mu.Lock()
		room := m.batch.take(s, m.sampler.now())
		s.mu.Unlock()
		if full = !room; full {
			break
		}
	}
	if len(m.batch.traces) > 0 && !full {
		m.next = m.sampler.now() + int64(gatherFor)
	}
	if m.batch.lost > 0 {
		m.sampler.unread(m.batch.lost, m.batch.err)
	}
	return len(m.batch.traces) > 0
}

// deliver passes the batch to the next component. Where that may work later it puts it back and returns when to retry.
func (m *emitter) deliver(ctx context.Context) (delay time.Duration, retry bool) {
	p := m.sampler
	defer p.times.since(stageDeliver, time.Now())
	td, unknown, withoutThreshold, err := m.batch.decode(p.names)
	spans := int64(len(m.batch.spans))
	if err != nil {
		// Only what was scanned is in the log, so this is a defect of ours; the batch would fail for ever.
		p.failed.Add(spans)
		p.logger.Error("kept spans cannot be decoded and are lost", zap.Error(err), zap.Int64("spans", spans))
		m.release()
		return 0, false
	}
	m.calling.Store(p.now())
	err = p.next.ConsumeTraces(ctx, td)
	m.calling.Store(0)
	switch {
	case err == nil:
		p.delivered.Add(spans)
		p.services.kept(m.batch)
		p.repeats.Add(int64(m.batch.repeats))
		p.unknown.Add(int64(unknown))
		p.withoutThreshold.Add(int64(withoutThreshold))
	case consumererror.IsPermanent(err):
		p.failed.Add(spans)
		p.complain("the next component refused kept spans for good: they are lost", err, spans)
	default:
		p.retries.Add(1)
		delay = max(m.backoff.NextBackOff(), retryDelay(err))
		p.complain("the next component failed: kept traces wait in the span log", err, spans)
		m.putBack()
		return delay, true
	}
	m.backoff.Reset()
	m.release()
	return 0, false
}

// retryDelay is what the error says about when to try again.
func retryDelay(err error) time.Duration {
	st, ok := status.FromError(err)
	var e *consumererror.Error
	if errors.As(err, &e) { // ToGRPCStatus panics on others
		st, ok = consumererror.ToGRPCStatus(e), true
	}
	if !ok {
		return 0
	}
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return min(info.GetRetryDelay().AsDuration(), mostBackoff)
		}
	}
	return 0
}

// putBack returns the batch's traces to the heads of their lists, in their order.
func (m *emitter) putBack() {
	for _, t := range slices.Backward(m.batch.traces) {
		t.shard.mu.Lock()
		t.shard.ready.pushFront(&t.shard.entries, t.slot)
		t.shard.mu.Unlock()
	}
}

// release lets go of what was delivered, or refused for good.
func (m *emitter) release() {
	for i := range m.batch.traces {
		t := &m.batch.traces[i]
		s := t.shard
		now := m.sampler.now()
		s.mu.Lock()
		s.note(spanlog.Delivered, s.entries.At(t.slot), policy.Sampled, byWait, now)
		s.stats.undelivered--
		s.stats.undeliveredBytes -= int64(s.entries.At(t.slot).bytes)
		s.free(t.slot, now)
		s.mu.Unlock()
	}
}
