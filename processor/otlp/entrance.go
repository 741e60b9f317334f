package otlp

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// entrance is shared by the doors of one protocol: it limits the memory of requests, and answers requests over a limit.
type entrance struct {
	transport string // "grpc" or "http"
	limit     int64  // of a decompressed body, in bytes
	key       string // configuration key of the limit
	budget    *intake.Budget
	refusals  *refusals
}

// pass gives a request to a door, after receive has read its body. It frees the body's memory before it returns. A panic
// of either, and so of any component behind the door, ends only this request.
func (e *entrance) pass(ctx context.Context, d door, enc *encoding, receive func(*intake.Request) error) (resp response, err error) {
	q := e.budget.Begin()
	defer func() {
		if value := recover(); value != nil {
			if err, ok := value.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(value) // net/http handles it
			}
			resp, err = nil, e.refusals.panicked(value)
		}
		q.End()
		if err = e.refused(err); err != nil {
			e.count(ctx, err)
		}
	}()
	if err := receive(q); err != nil {
		return nil, err
	}
	return d.Export(ctx, enc, q)
}

// count counts an error that is a refusal.
func (e *entrance) count(ctx context.Context, err error) {
	if r, ok := errors.AsType[*refusal](err); ok {
		e.refusals.count(ctx, r.reason, e.transport)
	}
}

// bound limits the memory of a body of d bytes, itself and decoded: to factor·d + overhead, or floor if that is more.
type bound struct{ factor, floor int64 }

const overhead = 64 << 10

// usual is the bound for traces, and for JSON. For metrics in protobuf it is higher: a bucket of an exponential histogram grows
// from a byte to 8, or 16 in a slice that has just grown, and a point without attributes or counts is little more than its time.
// Some SDKs send batches of nothing else.
var (
	usual     = bound{factor: 9}
	ofMetrics = bound{factor: 16, floor: 1 << 20}
)

// of returns the bound for a body of so many bytes.
func (b bound) of(bytes int) int64 { return max(b.factor*int64(bytes)+overhead, b.floor) }

// afford reserves the memory that decoding the body takes, which price computes. It refuses the body for good if that is over
// the bound for its length.
func afford(q *intake.Request, limit bound, price func(body []byte) int64) error {
	allowed := limit.of(len(q.Body()))
	n := price(q.Body())
	if n+q.Room() > allowed {
		if n+int64(len(q.Body())) > allowed {
			return &refusal{reasonElements, status.New(codes.InvalidArgument, fmt.Sprintf(
				"the request has more elements than its %d bytes may hold: decoded it would take %s", len(q.Body()), units.About(n))), http.StatusBadRequest}
		}
		if err := q.Fit(); err != nil {
			return err
		}
	}
	return q.Hold(n)
}
