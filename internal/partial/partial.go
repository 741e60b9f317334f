// Package partial reports back to a receiver which items of an accepted request were refused for good by components behind it,
// for OTLP's partial success. Its one type is Rejected. Items that another goroutine refuses after the request was answered are
// not reported.
package partial

import (
	"context"
	"sync"
)

// Rejected counts the refused items of a request. It is goroutine-safe.
type Rejected struct {
	mu    sync.Mutex
	items int64
	why   string
}

type key struct{}

// NewContext returns a context whose Add calls are recorded in the Rejected.
func NewContext(ctx context.Context) (context.Context, *Rejected) {
	r := new(Rejected)
	return context.WithValue(ctx, key{}, r), r
}

// Add records that items of the request were refused. The first reason is kept. It does nothing without a receiver that
// asks.
func Add(ctx context.Context, items int64, reason string) {
	r, ok := ctx.Value(key{}).(*Rejected)
	if !ok || items <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items += items
	if r.why == "" {
		r.why = reason
	}
}

// Items returns the number of refused items, and the first reason.
func (r *Rejected) Items() (items int64, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.items, r.why
}
