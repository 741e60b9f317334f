// Package partial carries back to a receiver what components behind it refused for good of a request whose rest they took,
// for OTLP's partial success. Its one type is Rejected. What is handed on from another goroutine after the request was answered
// is not carried back.
package partial

import (
	"context"
	"sync"
)

// Rejected counts what was refused of a request. It is goroutine-safe.
type Rejected struct {
	mu    sync.Mutex
	items int64
	why   string
}

type key struct{}

// NewContext returns a context in which Add is noted by the Rejected.
func NewContext(ctx context.Context) (context.Context, *Rejected) {
	r := new(Rejected)
	return context.WithValue(ctx, key{}, r), r
}

// Add notes that items of the request were refused. The first reason that is given is kept. Without a receiver that asks, it
// does nothing.
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

// Items returns how many were refused, and why the first was.
func (r *Rejected) Items() (items int64, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.items, r.why
}
