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

// Within returns a context that ends, and calls late, unless Arrived is called with it within so long. It is to be stopped
// by the end of ctx.
func Within(ctx context.Context, limit time.Duration, late func()) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	a := &arrival{Context: ctx}
	a.timer = clock.AfterFunc(limit, func() {
		a.late.Store(true)
		cancel()
		late()
	})
	return a
}

// Arrived says that the request is there: from here on it takes as long as it takes. It reports whether that was in time.
func Arrived(ctx context.Context) bool {
	a, ok := ctx.Value(arrivalKey{}).(*arrival)
	return !ok || a.timer.Stop() || !a.late.Load()
}
