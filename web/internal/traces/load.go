package traces

import (
	"context"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/tracestore"
)

// Shown is a stored trace, reconstructed.
type Shown struct {
	Trace *trace.Trace
	Meta  tracestore.Meta
	// Bytes is the size of its spans in bytes of OTLP.
	Bytes int
}

// The most memory that showing a trace takes: multiples of its bytes and of its spans, and a constant. TestMemory checks
// reconstruct against it, freed memory included.
const (
	perByte  = 4
	perSpan  = 1200
	perTrace = 1 << 20
)

// memoryFor is how many bytes showing a trace takes at most, without its answer. Late spans that are merged with others when they are
// read take it twice.
func memoryFor(s tracestore.Size) int64 {
	memory := perTrace + perByte*int64(s.Bytes) + perSpan*int64(s.Spans)
	if s.Late {
		memory *= 2
	}
	return memory
}

// Load reconstructs a stored trace, and returns nil if it is not stored. It reserves the memory for this before it reads the
// trace. The error is a *gate.Large if the trace takes more than the budget of all reads.
func Load(ctx context.Context, store tracestore.Reader, id pcommon.TraceID) (*Shown, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	size, here, err := store.Size(ctx, id)
	for err == nil && here {
		if err = gate.Reserve(ctx, memoryFor(size)); err != nil {
			return nil, err
		}
		var spans []byte
		var meta tracestore.Meta
		if spans, meta, here, err = store.Trace(ctx, id); err != nil || !here {
			break
		}
		elements := wire.Count(spans)
		if found := (tracestore.Size{Bytes: len(spans), Spans: elements.Spans, Late: size.Late}); memoryFor(found) > memoryFor(size) {
			size = found // late spans came since
			continue
		}
		t, err := reconstruct(spans, elements, id)
		if t == nil {
			return nil, err
		}
		return &Shown{t, meta, len(spans)}, err
	}
	return nil, err
}

// reconstruct builds the trace with this ID from its spans.
func reconstruct(spans []byte, elements wire.Elements, id pcommon.TraceID) (*trace.Trace, error) {
	r := wire.Request{
		Resources: make([]wire.Resource, 0, elements.Resources), Scopes: make([]wire.Scope, 0, elements.Scopes), Spans: make([]wire.Span, 0, elements.Spans),
	}
	if err := r.Scan(spans); err != nil {
		return nil, err
	}
	k := wire.Kept{Bytes: make([]byte, 0, len(spans)), Spans: make([]wire.KeptSpan, 0, len(r.Spans))}
	if _, err := k.Fill(&r); err != nil {
		return nil, err
	}
	for i := range k.Traces {
		if pcommon.TraceID(k.Traces[i].ID) == id {
			batch := assemble.New(&k)
			defer batch.Release()
			return batch.Trace(i, assemble.Options{}), nil
		}
	}
	return nil, nil
}
