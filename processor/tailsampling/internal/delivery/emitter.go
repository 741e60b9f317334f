package delivery

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

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// MaxEmitters bounds how many calls of the next component run at once.
const MaxEmitters = 8

// gatherFor is the least time between two batches, unless there is enough for a full one: what a call of the next
// component costs by itself is most of what one with few traces does.
const gatherFor = 100 * time.Millisecond

// After a retryable error an emitter waits half a second, later up to half a minute, with jitter.
const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
)

// Emitter delivers the kept traces of its shards, in the order in which they were decided in each.
type Emitter struct {
	output  *Output
	members []*buffer.Member
	wake    chan struct{}
	hurry   chan struct{} // ends gathering: what waits to be delivered is in the way
	batch   *batch
	backoff backoff.ExponentialBackOff
	next    clock.Monotonic // when the next batch is taken, if the last was not full
	retryAt atomic.Int64    // when it tries again after an error, a clock.Monotonic; 0 if it does not wait
	calling atomic.Int64    // since when the next component has not returned, likewise; 0 if it is not being called
}

// NewEmitters returns so many emitters, which share the shards of the output's buffer.
func NewEmitters(o *Output, n int) []*Emitter {
	list := make([]*Emitter, n)
	for i := range list {
		list[i] = &Emitter{
			output: o, wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), batch: newBatch(),
			backoff: backoff.ExponentialBackOff{
				InitialInterval: firstBackoff, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: maxBackoff,
			},
		}
	}
	for i, m := range o.Buffer.Members {
		e := list[i%n]
		m.Deliver, e.members = []chan struct{}{e.wake}, append(e.members, m)
	}
	return list
}

// Hurry ends the wait for a fuller batch.
func (m *Emitter) Hurry() { buffer.Wake(m.hurry) }

// RetryAt is when it tries again after an error, 0 if it does not wait.
func (m *Emitter) RetryAt() clock.Monotonic { return clock.Monotonic(m.retryAt.Load()) }

// CallingSince is since when the next component has not returned, 0 if it is not being called.
func (m *Emitter) CallingSince() clock.Monotonic { return clock.Monotonic(m.calling.Load()) }

// Run delivers until drain is closed and nothing is left, or ctx is done. Closing drain also ends a pause after an
// error: what can still be delivered is worth a try.
func (m *Emitter) Run(ctx context.Context, drain <-chan struct{}) {
	for {
		m.gather(ctx, drain)
		if !m.take() {
			if m.batch.err != nil {
				m.output.Buffer.Warn("kept traces cannot be read back: they are tried again", m.batch.err)
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
		if delay, retry := m.deliver(ctx); retry && !m.pause(ctx, delay, drain) {
			return
		}
	}
}

// gather waits until it is time for the next batch.
func (m *Emitter) gather(ctx context.Context, drain <-chan struct{}) {
	d := m.next.Sub(m.output.Buffer.Now())
	if d <= 0 {
		return
	}
	timer := clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-m.hurry:
	case <-drain:
	case <-ctx.Done():
	}
}

// pause waits after an error, shows that it does, and reports whether to go on. The first time that drain is seen it ends
// at once.
func (m *Emitter) pause(ctx context.Context, delay time.Duration, drain <-chan struct{}) bool {
	m.retryAt.Store(int64(m.output.Buffer.Now().Add(delay)))
	defer m.retryAt.Store(0)
	select {
	case <-drain: // was closed before
		drain = nil
	default:
	}
	timer := clock.NewTimer(delay)
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
func (m *Emitter) take() bool {
	b := m.output.Buffer
	m.batch.reset()
	m.next = 0
	full := false
	for _, member := range m.members {
		member.Lock()
		room := m.batch.take(member, b.Mapped, b.Now())
		member.Unlock()
		if full = !room; full {
			break
		}
	}
	if len(m.batch.traces) > 0 && !full {
		m.next = b.Now().Add(gatherFor)
	}
	return len(m.batch.traces) > 0
}

// deliver passes the batch to the next component. Where that may work later it puts it back and returns when to retry.
func (m *Emitter) deliver(ctx context.Context) (delay time.Duration, retry bool) {
	o := m.output
	defer o.Stages.Since(tally.Deliver, clock.Now())
	td, unknown, withoutThreshold, err := m.batch.decode(o.Names)
	spans := int64(len(m.batch.spans))
	if err != nil {
		// Only what was scanned is in the log, so this is a defect of ours; the batch would fail every time.
		o.Failed.Add(spans)
		o.Logger.Error("kept spans cannot be decoded and are lost", zap.Error(err), zap.Int64("spans", spans))
		m.release()
		return 0, false
	}
	m.calling.Store(int64(o.Buffer.Now()))
	err = o.Next.ConsumeTraces(ctx, td)
	m.calling.Store(0)
	switch {
	case err == nil:
		o.Delivered.Add(spans)
		o.countKept(m.batch)
		o.Repeated.Add(int64(m.batch.repeats))
		o.Unknown.Add(int64(unknown))
		o.WithoutThreshold.Add(int64(withoutThreshold))
	case consumererror.IsPermanent(err):
		o.Failed.Add(spans)
		o.Buffer.Warn("the next component refused kept spans for good: they are lost", err, zap.Int64("spans", spans))
	default:
		o.Retries.Add(1)
		delay = max(m.backoff.NextBackOff(), retryDelay(err))
		o.Buffer.Warn("the next component failed: kept traces wait in the span log", err, zap.Int64("spans", spans))
		m.putBack()
		return delay, true
	}
	m.backoff.Reset()
	m.release()
	return 0, false
}

// retryDelay is the delay before a retry that the error asks for, 0 if none.
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
			return min(info.GetRetryDelay().AsDuration(), maxBackoff)
		}
	}
	return 0
}

// putBack returns the batch's traces to the heads of their lists, in their order.
func (m *Emitter) putBack() {
	for _, t := range slices.Backward(m.batch.traces) {
		t.member.Lock()
		t.member.Outgoing(0).PutBack(t.Slot)
		t.member.Unlock()
	}
}

// release gives up what was delivered, or refused for good. Spans that could not be read are lost with it.
func (m *Emitter) release() {
	if m.batch.lost > 0 {
		m.output.unread(m.batch.lost, m.batch.err)
	}
	for i := range m.batch.traces {
		t := &m.batch.traces[i]
		now := m.output.Buffer.Now()
		t.member.Lock()
		t.member.Outgoing(0).Delivered(t.Slot, now)
		t.member.Unlock()
	}
}
