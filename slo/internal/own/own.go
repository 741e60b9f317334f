// Package own marks the context of metrics that the gateway made itself, so that they are exempt from the limits on metrics of
// others. The mark stays within the process: no client can set it. A processor that passes metrics on from a goroutine of its
// own, such as batch, loses it.
package own

import "context"

type key struct{}

// Mark returns a context that marks metrics as the gateway's own.
func Mark(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, true) }

// Is reports whether the context marks metrics as the gateway's own.
func Is(ctx context.Context) bool { return ctx.Value(key{}) != nil }
