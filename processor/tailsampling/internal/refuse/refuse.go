// Package refuse turns the reasons for refusing spans into errors that make clients send them again, or drop them where repeating is
// useless.
//
// Its types are Refusals (the counts, and the last one) and Reason. They are safe for concurrent use.
package refuse

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
)

// retryAfter is the time after which a refused client shall retry.
const retryAfter = time.Second

// ErrRecovering refuses spans while the span log is read back.
var ErrRecovering = errors.New("the span log is being read back")

// ErrDeliveryBudget refuses spans over delivery_budget, with when_full refuse.
var ErrDeliveryBudget = errors.New("the delivery budget is used up")

// ErrDraining refuses spans while the gateway is drained.
var ErrDraining = errors.New("the gateway is drained")

// Reason is the reason for a refusal.
type Reason uint8

// The reasons.
const (
	MemoryBudget Reason = iota
	DiskBudget
	Disk
	Recovering
	DeliveryBudget
	Draining
	TooLarge // for good
	Reasons  // how many there are
)

// String returns the reason's name in metrics.
func (r Reason) String() string {
	return [Reasons]string{"memory_budget", "disk_budget", "disk", "recovering", "delivery_budget", "draining", "too_large"}[r]
}

func reasonOf(err error) Reason {
	var large *spanlog.TooLargeError
	switch {
	case errors.As(err, &large):
		return TooLarge
	case errors.Is(err, spanlog.ErrMemoryBudget):
		return MemoryBudget
	case errors.Is(err, spanlog.ErrDiskBudget):
		return DiskBudget
	case errors.Is(err, ErrRecovering):
		return Recovering
	case errors.Is(err, ErrDeliveryBudget):
		return DeliveryBudget
	case errors.Is(err, ErrDraining):
		return Draining
	default:
		return Disk
	}
}

// Refusals counts refused spans.
type Refusals struct {
	// Memory, Disk and Delivery are the budgets as they are shown to users.
	Memory, Disk, Delivery fmt.Stringer
	// Progress describes the progress of the recovery.
	Progress func() string
	Buffer   *buffer.Buffer
	Logger   *zap.Logger

	counts   [Reasons]atomic.Int64 // spans
	accepted atomic.Bool           // spans were accepted since the last refusal
	last     atomic.Pointer[last]
}

type last struct {
	at      clock.Monotonic
	message string
}

// Refuse counts refused spans, and returns the error that makes clients send them again: a permanent one, 413 over HTTP, where
// repeating is useless. That is the sender's problem: Recent does not report it.
func (f *Refusals) Refuse(spans int, cause error) error {
	r := reasonOf(cause)
	f.counts[r].Add(int64(spans))
	message := f.explain(r, cause)
	if r == TooLarge {
		f.Buffer.Warn("spans are refused for good: their request is too large", cause, zap.Int("spans", spans))
		return consumererror.NewPermanent(consumererror.NewOTLPHTTPError(fmt.Errorf("tail_sampling: %s", message), http.StatusRequestEntityTooLarge))
	}
	f.accepted.Store(false)
	f.last.Store(&last{at: f.Buffer.Now(), message: message})
	if r == Disk {
		f.Buffer.Warn("spans refused because of the disk", cause, zap.Int("spans", spans))
	}
	err := fmt.Errorf("tail_sampling: %s", message)
	code := codes.ResourceExhausted
	if r == Recovering || r == Disk || r == Draining {
		code = codes.Unavailable
	}
	st, detailErr := status.New(code, err.Error()).
		WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)})
	if detailErr != nil {
		f.Logger.Debug("sending a refusal without a retry delay", zap.Error(detailErr))
		st = status.New(code, err.Error())
	}
	return consumererror.NewOTLPGRPCError(err, st)
}

// explain returns the reason of a refusal, and what to do about it.
func (f *Refusals) explain(r Reason, err error) string {
	const full = "%s of %s is used up by traces that cannot be delivered or decided yet: " +
		"send again later; see whether the next component accepts traces, or raise %[1]s"
	switch r {
	case MemoryBudget:
		if index := f.Buffer.Index.Load(); 2*index > f.Buffer.Pool.Limit() {
			return fmt.Sprintf("memory_budget of %s is too small for so many traces at once: %s of it index them, spans aside: "+
				"send again later, or raise memory_budget", f.Memory, units.About(index))
		}
		return fmt.Sprintf(full, r, f.Memory)
	case DiskBudget:
		return fmt.Sprintf(full, r, f.Disk)
	case DeliveryBudget:
		return fmt.Sprintf("delivery_budget of %s is used up by traces that cannot be delivered: send again later; see whether "+
			"every destination accepts traces, raise delivery_budget, or write when_full: give_up", f.Delivery)
	case TooLarge:
		var large *spanlog.TooLargeError
		budget, key := f.Memory, MemoryBudget
		if errors.As(err, &large) && large.OnDisk {
			budget, key = f.Disk, DiskBudget
		}
		return fmt.Sprintf("the request never fits %s of %s: it takes %v: send smaller batches, or raise %[1]s", key, budget, large)
	case Draining:
		return "this gateway is drained and takes no spans: send them to another one; `slowburn drain --resume` ends it"
	case Recovering:
		return fmt.Sprintf("%s: send again later", f.Progress())
	default:
		return fmt.Sprintf("%v: send again later; spans are accepted as soon as the disk is", err)
	}
}

// For is the number of spans that were refused for a reason.
func (f *Refusals) For(r Reason) int64 { return f.counts[r].Load() }

// All is the number of refused spans.
func (f *Refusals) All() (n int64) {
	for r := range Reasons {
		n += f.For(r)
	}
	return n
}

// Accepted notes that spans were accepted.
func (f *Refusals) Accepted() {
	if !f.accepted.Load() { // write only once after a refusal: the goroutines share this cache line
		f.accepted.Store(true)
	}
}

// Recent returns the reason of the last refusal, if that was within the first period, or within the second if nothing was
// accepted since: senders that back off come seldom. Otherwise it returns false.
func (f *Refusals) Recent(within, alone time.Duration) (message string, ok bool) {
	l := f.last.Load()
	if l == nil {
		return "", false
	}
	if age := f.Buffer.Now().Sub(l.at); age >= within && (age >= alone || f.accepted.Load()) {
		return "", false
	}
	return l.message, true
}
