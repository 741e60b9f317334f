package wire

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

type contextKey struct{}

// NewContext returns a context in which r travels beside an empty ptrace.Traces. Several consumers may read r at a time,
// until the ConsumeTraces of whoever put it there has returned.
func NewContext(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, contextKey{}, r)
}

// FromContext returns the request that NewContext put there.
func FromContext(ctx context.Context) (*Request, bool) {
	r, ok := ctx.Value(contextKey{}).(*Request)
	return r, ok && r != nil
}

// Of returns the request that a ConsumeTraces was called with: the one in ctx where td is empty (the wire path), else
// td, marshalled and scanned. The request and its bytes are valid until release is called, which must be done once and
// before ConsumeTraces returns.
func Of(ctx context.Context, td ptrace.Traces) (r *Request, release func(), err error) {
	if td.ResourceSpans().Len() == 0 {
		if r, ok := FromContext(ctx); ok {
			return r, func() {}, nil
		}
	}
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
