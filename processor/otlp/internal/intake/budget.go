package intake

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/slowburn/slowburn/internal/units"
)

// Shares of the memory of the process.
const (
	share    = 8
	minShare = 64 << 20
	maxShare = 512 << 20
)

// DefaultLimit returns the budget of a process with so many bytes of memory: an eighth, from 64 to 512 MiB.
func DefaultLimit(memory int64) int64 { return min(max(memory/share, minShare), maxShare) }

// ErrSpent refuses a request for now: other requests hold the memory that it needs.
var ErrSpent = errors.New("the gateway's intake_budget is used up by other requests: try again")

// TooLargeError refuses a request for good: it needs more memory than there is, or than a limit allows.
type TooLargeError struct{ Message string }

// Error implements error.
func (e *TooLargeError) Error() string { return e.Message }

// Budget limits the bytes of memory that the requests of all receivers hold together. It may be used concurrently.
type Budget struct {
	limit, reserved atomic.Int64
}

// NewBudget returns a Budget of so many bytes.
func NewBudget(limit int64) *Budget {
	b := new(Budget)
	b.Resize(limit)
	return b
}

// Limit returns the size of the budget in bytes.
func (b *Budget) Limit() int64 { return b.limit.Load() }

// Resize sets the limit. Reservations beyond it stay until their requests end.
func (b *Budget) Resize(limit int64) { b.limit.Store(limit) }

// usable returns the part of the budget for requests that have reached a door. An eighth is left to requests
// that are still arriving.
func (b *Budget) usable() int64 {
	limit := b.limit.Load()
	return limit - limit/share
}

// LargestMessage returns the length in bytes of the largest gRPC message that can be taken: it is in memory twice, as it arrives
// and as a body.
func (b *Budget) LargestMessage() int64 { return b.usable() / 2 }

// Scarce reports whether only the part for arriving requests is left.
func (b *Budget) Scarce() bool { return b.reserved.Load() >= b.usable() }

// Reserved returns the number of reserved bytes.
func (b *Budget) Reserved() int64 { return b.reserved.Load() }

// reserve reserves n bytes if that stays within limit, and reports whether it did.
func (b *Budget) reserve(n, limit int64) bool {
	for {
		now := b.reserved.Load()
		if n > limit-now {
			return false
		}
		if b.reserved.CompareAndSwap(now, now+n) {
			return true
		}
	}
}

// Begin returns a Request that holds nothing yet.
func (b *Budget) Begin() *Request {
	q := requests.Get().(*Request)
	q.budget = b
	return q
}

// BeginArriving is Begin for a request that has no door yet that could refuse it. It may use the whole
// budget.
func (b *Budget) BeginArriving() *Request {
	q := b.Begin()
	q.arriving = true
	return q
}

// Hold reserves n bytes more. The error is ErrSpent, or a *TooLargeError if this request alone exceeds the budget
// of one request.
func (q *Request) Hold(n int64) error {
	limit := q.budget.usable()
	if q.arriving {
		limit = q.budget.Limit()
	}
	if q.budget.reserve(n, limit) {
		q.held += n
		return nil
	}
	if need := q.arrived + q.held + n; need > limit {
		return &TooLargeError{fmt.Sprintf("the request needs %s of memory, more than one may have of the gateway's intake_budget of %s: send smaller batches, or raise it",
			units.About(need), units.About(q.budget.Limit()))}
	}
	return ErrSpent
}

// Release returns n bytes before the end.
func (q *Request) Release(n int64) {
	n = min(n, q.held)
	q.held -= n
	q.budget.reserved.Add(-n)
}
