package intake

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

type arrivalKey struct{}

// arrival is the context of a request that has to be there in time.
type arrival struct {
	context.Context
	timer *clock.Timer
	ended func() bool // keeps the timer from being stopped by the end of the context
	late  atomic.Bool
}

// Err implements context.Context: what did not come in time is past its deadline, and not cancelled.
func (a *arrival) Err() error {
	if a.late.Load() {
		return context.DeadlineExceeded
	}
	return a.Context.Err()
}

// Value implements context.Context.
func (a *arrival) Value(key any) any {
	if key == (arrivalKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// Within returns a context that ends, and calls late, unless Arrived is called with it within so long, or ctx ends. Nothing of
// it is left then.
func Within(ctx context.Context, limit time.Duration, late func()) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	a := &arrival{Context: ctx}
	a.timer = clock.AfterFunc(limit, func() {
		if ctx.Err() != nil {
			return
		}
		a.late.Store(true)
		cancel()
		late()
	})
	a.ended = context.AfterFunc(ctx, func() { a.timer.Stop() })
	return a
}

// Arrived says that the request is there: from here on it takes as long as it takes. It reports whether that was in time.
func Arrived(ctx context.Context) bool {
	a, ok := ctx.Value(arrivalKey{}).(*arrival)
	if !ok {
		return true
	}
	a.ended()
	return a.timer.Stop() || !a.late.Load()
}
