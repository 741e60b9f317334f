package tracestore

import (
	"context"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/tracefile"
)

// Reader is the exporter's interface for others. All methods are goroutine-safe. An error means that the store cannot
// be read now. A trace that is not there is not an error.
type Reader interface {
	// Search returns the traces that match, newest first. It reads a bounded number of index entries: if these do not
	// suffice, the result is short, and its cursor continues there.
	Search(ctx context.Context, q Query) (Result, error)
	// Trace returns a kept trace with all its spans as an OTLP request, which wire.Request can scan. It returns false if
	// the trace is not here.
	Trace(ctx context.Context, id pcommon.TraceID) (spans []byte, meta Meta, here bool, err error)
	// Size returns the size of a trace without reading it, and false if it is not here.
	Size(ctx context.Context, id pcommon.TraceID) (size Size, here bool, err error)
	// Has reports which of the traces are here.
	Has(ctx context.Context, ids []pcommon.TraceID) (map[pcommon.TraceID]bool, error)
	// Services returns the operations of each service, sorted, of which traces are probably still here.
	Services(ctx context.Context) (map[string][]string, error)
}

// Limits of a search.
const (
	DefaultLimit = tracefile.DefaultLimit
	MaxLimit     = tracefile.MaxLimit
)

// ErrCursor refuses a Query's cursor that no Result returned.
var ErrCursor = tracefile.ErrCursor

type (
	// Query selects traces.
	Query = tracefile.Query
	// Result is a page of found traces.
	Result = tracefile.Result
	// Summary is a trace in a line.
	Summary = digest.Summary
	// ServiceSummary counts a service's spans in a trace.
	ServiceSummary = digest.ServiceSummary
	// Size is the size of a trace.
	Size = tracefile.Size
	// Meta is what the store knows of a trace besides its spans.
	Meta = digest.Meta
)
