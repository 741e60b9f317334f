package tracestore

import (
	"context"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/tracefile"
)

// Reader is what the exporter shows to others. All methods are goroutine-safe. An error says that the store cannot be
// read now; a trace or a record that is not there is none.
type Reader interface {
	// Search returns the traces that match, newest first. It looks at a bounded number of index entries: where those do
	// not suffice the result is short, and its cursor goes on from there.
	Search(ctx context.Context, q Query) (Result, error)
	// Trace returns a kept trace with all its spans as an OTLP request, which wire.Request can scan, and false where it is
	// not here.
	Trace(ctx context.Context, id pcommon.TraceID) (spans []byte, meta Meta, here bool, err error)
	// Size returns how large a trace is without reading it, and false where it is not here.
	Size(ctx context.Context, id pcommon.TraceID) (size Size, here bool, err error)
	// Has says which of the traces are here.
	Has(ctx context.Context, ids []pcommon.TraceID) (map[pcommon.TraceID]bool, error)
	// Services returns the operations of each service, sorted, as far as traces of them are likely still here.
	Services(ctx context.Context) (map[string][]string, error)
}

// Limits of a search.
const (
	DefaultLimit = tracefile.DefaultLimit
	MaxLimit     = tracefile.MaxLimit
)

// ErrCursor says that a Query's cursor is none that a Result gave.
var ErrCursor = tracefile.ErrCursor

type (
	// Query says which traces to find.
	Query = tracefile.Query
	// Result is a page of found traces.
	Result = tracefile.Result
	// Summary is a trace in a line.
	Summary = digest.Summary
	// ServiceSummary counts a service's spans in a trace.
	ServiceSummary = digest.ServiceSummary
	// Size is how much a trace is.
	Size = tracefile.Size
	// Meta is what the store knows about a trace beside its spans.
	Meta = digest.Meta
)
