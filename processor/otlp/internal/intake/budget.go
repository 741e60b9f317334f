package intake

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/slowburn/slowburn/internal/bytesize"
)

// Shares of the memory that the process may use.
const (
	share    = 8
	minShare = 64 << 20
	maxShare = 512 << 20
)

// DefaultLimit returns the budget of a process that may use so many bytes of memory: an eighth, from 64 to 512 MiB.
func DefaultLimit(memory int64) int64 { return min(max(memory/share, minShare), maxShare) }

// ErrSpent is why a request is refused for now: others hold the memory that it needs.
var ErrSpent = errors.New("the gateway's intake_budget is used up by other requests: try again")

// TooLargeError says that a request needs more than there is, or more than a limit allows, so that another try is in vain.
type TooLargeError struct{ Message string }

// Error implements error.
func (e *TooLargeError) Error() string { return e.Message }

// Budget is the memory in bytes that requests may hold at a time, those of all receivers of the process. It may be used
// concurrently.
type Budget struct {
	limit, reserved atomic.Int64
}

// NewBudget returns a Budget of so many bytes.
func NewBudget(limit int64) *Budget {
	b := new(Budget)
	b.Resize(limit)
	return b
}

// Limit returns the bytes that may be reserved.
func (b *Budget) Limit() int64 { return b.limit.Load() }

// Resize sets the limit. What is reserved beyond it stays so until its request ends.
func (b *Budget) Resize(limit int64) { b.limit.Store(limit) }

// usable returns what requests may hold that have a door: an eighth is for those that are on their way to one.
func (b *Budget) usable() int64 {
	limit := b.limit.Load()
	return limit - limit/share
}

// LargestMessage is how long a message of gRPC can be, in bytes: as long as it arrives, and as a body while that is looked at.
func (b *Budget) LargestMessage() int64 { return b.usable() / 2 }

// Scarce reports whether nothing is left but for what is on its way.
func (b *Budget) Scarce() bool { return b.reserved.Load() >= b.usable() }

// Reserved returns the bytes that are reserved now.
func (b *Budget) Reserved() int64 { return b.reserved.Load() }

// reserve takes n bytes, and reports whether they were there below the limit.
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

// BeginArriving is Begin for what has no door yet that could refuse it. It may hold all of the budget.
func (b *Budget) BeginArriving() *Request {
	q := b.Begin()
	q.arriving = true
	return q
}

// Hold reserves n bytes more. The error is ErrSpent, or a *TooLargeError where the request alone asks for more than
// requests may have of the budget.
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
			bytesize.About(need), bytesize.About(q.budget.Limit()))}
	}
	return ErrSpent
}

// Release gives n bytes back before the end.
func (q *Request) Release(n int64) {
	n = min(n, q.held)
	q.held -= n
	q.budget.reserved.Add(-n)
}
