package wire

import (
	"context"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

type contextKey struct{}

// carried is a request carried in a context.
type carried struct {
	request *Request
	taken   atomic.Bool
	hold    func(bytes int64) error // nil where memory is not limited
}

// NewContext returns a context that carries r beside an empty ptrace.Traces. Several consumers may read r at a time, until
// the caller's ConsumeTraces returns. If that returned no error and Taken reports false, some component saw only the empty
// ptrace.Traces: then the spans are not safe, and must be passed on decoded.
//
// There is one mark for all. Taken cannot tell if a consumer of a fan-out missed r while another took it, or if a processor
// changed the empty ptrace.Traces and passed r on unchanged.
func NewContext(ctx context.Context, r *Request) context.Context {
	c := &carried{request: r}
	if before := carriedIn(ctx); before != nil {
		c.hold = before.hold
	}
	return context.WithValue(ctx, contextKey{}, c)
}

// NewLimitedContext is NewContext for a caller that limits the memory of a request: hold reserves further bytes for it, until the
// ConsumeTraces that the context is for has returned. One goroutine calls it at a time.
func NewLimitedContext(ctx context.Context, r *Request, hold func(bytes int64) error) context.Context {
	return context.WithValue(ctx, contextKey{}, &carried{request: r, hold: hold})
}

// Hold reserves memory for the request that NewLimitedContext put there, or one that stands in for it. The error is the answer for
// the request.
func Hold(ctx context.Context, bytes int64) error {
	if c := carriedIn(ctx); c != nil && c.hold != nil {
		return c.hold(bytes)
	}
	return nil
}

// FromContext returns the request of NewContext.
func FromContext(ctx context.Context) (*Request, bool) {
	if c := carriedIn(ctx); c != nil {
		return c.request, true
	}
	return nil, false
}

// Taken reports whether Of was called with the request of NewContext.
func Taken(ctx context.Context) bool {
	c := carriedIn(ctx)
	return c != nil && c.taken.Load()
}

// Take marks the request of NewContext as taken, for a component that has its spans already.
func Take(ctx context.Context) {
	if c := carriedIn(ctx); c != nil {
		c.taken.Store(true)
	}
}

// Of returns the request of a ConsumeTraces: the one in ctx if td is empty (the wire path), otherwise td, marshalled and
// scanned. The request and its bytes are valid until release is called, once and before ConsumeTraces returns.
//
// It marks the request in ctx as taken: the result of ConsumeTraces is then the answer for the spans. A component that
// passes them on to others calls Peek.
func Of(ctx context.Context, td ptrace.Traces) (r *Request, release func(), err error) {
	if td.ResourceSpans().Len() == 0 {
		if c := carriedIn(ctx); c != nil {
			c.taken.Store(true)
			return c.request, func() {}, nil
		}
	}
	return scanned(td)
}

// Peek is Of for a component that reads the spans and passes ctx and td on to the next one.
func Peek(ctx context.Context, td ptrace.Traces) (r *Request, release func(), err error) {
	if td.ResourceSpans().Len() == 0 {
		if c := carriedIn(ctx); c != nil {
			return c.request, func() {}, nil
		}
	}
	return scanned(td)
}

// carriedIn returns the value of NewContext, nil if there is none.
func carriedIn(ctx context.Context) *carried {
	c, _ := ctx.Value(contextKey{}).(*carried)
	if c == nil || c.request == nil {
		return nil
	}
	return c
}

func scanned(td ptrace.Traces) (r *Request, release func(), err error) {
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	if err != nil {
		return nil, nil, fmt.Errorf("marshal traces: %w", err)
	}
	r = Get()
	if err := r.Scan(b); err != nil {
		Put(r)
		return nil, nil, err
	}
	return r, func() { Put(r) }, nil
}
