// Package refuse turns the reasons for which spans cannot be taken into errors that make clients send them again, or not where that is in
// vain.
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

	"github.com/slowburn/slowburn/internal/bytesize"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
)

// retryAfter is when a refused client shall try again.
const retryAfter = time.Second

// ErrRecovering is why spans are refused until what is on disk was read back.
var ErrRecovering = errors.New("the span log is being read back")

// ErrDeliveryBudget is why spans are refused with when_full refuse.
var ErrDeliveryBudget = errors.New("the delivery budget is used up")

// ErrDraining is why spans are refused by a gateway that is taken out of service.
var ErrDraining = errors.New("the gateway is drained")

// Reason is why spans are refused.
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

// String returns the reason as it stands in metrics.
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

// Refusals are what was refused.
type Refusals struct {
	// Memory, Disk and Delivery are the budgets as a user wrote them.
	Memory, Disk, Delivery fmt.Stringer
	// Progress says how far the recovery is.
	Progress func() string
	Buffer   *buffer.Buffer
	Logger   *zap.Logger

	counts   [Reasons]atomic.Int64 // spans
	accepted atomic.Bool           // some were, since the last refusal
	last     atomic.Pointer[last]
}

type last struct {
	at      clock.Monotonic
	message string
}

// Refuse counts spans that are refused, and returns the error that makes clients send them again: a permanent one, 413 over HTTP, where that
// is in vain. That is the sender's matter: Recent does not tell of it.
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
		f.Buffer.Warn("spans are refused because of the disk", cause, zap.Int("spans", spans))
	}
	err := fmt.Errorf("tail_sampling: %s", message)
	code := codes.ResourceExhausted
	if r == Recovering || r == Disk || r == Draining {
		code = codes.Unavailable
	}
	st, detailErr := status.New(code, err.Error()).
		WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)})
	if detailErr != nil {
		f.Logger.Debug("a refusal goes out without a time to retry after", zap.Error(detailErr))
		st = status.New(code, err.Error())
	}
	return consumererror.NewOTLPGRPCError(err, st)
}

// explain says why spans are refused and what to do about it.
func (f *Refusals) explain(r Reason, err error) string {
	const full = "%s of %s is used up by traces that cannot be delivered or decided yet: " +
		"send again later; see whether the next component accepts traces, or raise %[1]s"
	switch r {
	case MemoryBudget:
		if index := f.Buffer.Index.Load(); 2*index > f.Buffer.Pool.Limit() {
			return fmt.Sprintf("memory_budget of %s is too small for so many traces at once: %s of it index them, spans aside: "+
				"send again later, or raise memory_budget", f.Memory, bytesize.About(index))
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

// For is how many spans were refused for a reason.
func (f *Refusals) For(r Reason) int64 { return f.counts[r].Load() }

// All is how many spans were refused for any reason.
func (f *Refusals) All() (n int64) {
	for r := range Reasons {
		n += f.For(r)
	}
	return n
}

// Accepted notes that spans were accepted.
func (f *Refusals) Accepted() {
	if !f.accepted.Load() { // written once after a refusal, so that goroutines share a line that does not change
		f.accepted.Store(true)
	}
}

// Recent returns why spans were refused within so long, and false if none were. The last request counts for as long as alone
// says, if it was refused: senders that back off come seldom.
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
