// Package own marks the context of metrics that the gateway made itself, so that what is stored of them does not compete
// with the metrics of others. The mark is in the process only: no client can set it. A processor that hands metrics on from
// a goroutine of its own, such as batch, loses it.
package own

import "context"

type key struct{}

// Mark returns a context for metrics of the gateway's own.
func Mark(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, true) }

// Is reports whether the context is for metrics of the gateway's own.
func Is(ctx context.Context) bool { return ctx.Value(key{}) != nil }
