package intake

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

type arrivalKey struct{}

// arrival is the context of a request that must arrive within a time limit.
type arrival struct {
	context.Context
	timer *clock.Timer
	ended func() bool // undoes the AfterFunc that stops the timer with the context
	late  atomic.Bool
}

// Err implements context.Context. A late request has exceeded its deadline; it is not cancelled.
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

// Within returns a context that ends after limit, and then calls late, unless Arrived is called with it or ctx ends first.
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

// Arrived reports whether the request arrived in time, and ends the time limit.
func Arrived(ctx context.Context) bool {
	a, ok := ctx.Value(arrivalKey{}).(*arrival)
	if !ok {
		return true
	}
	a.ended()
	return a.timer.Stop() || !a.late.Load()
}
