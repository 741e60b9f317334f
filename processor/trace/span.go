package trace

import "github.com/slowburn/slowburn/internal/wire"

// Span is a node of the forest: a span that arrived, or a synthetic one in place of a missing one.
type Span struct {
	// Data is the span as it arrived; with FlagMerged, the merged copies. It is empty for a synthetic span.
	Data Data
	Origin

	ID       wire.SpanID
	ParentID wire.SpanID // as it arrived, even if the parent is missing or was cut
	Kind     int32       // OTLP's number
	Scope    *Scope      // nil for a synthetic span
	Resource int         // index in Trace.Resources; -1 for a synthetic span
	Service  string

	Place
	Timing

	Flags Flags
	Links []Link
}

// Data has the fields of a span in their encoded form: it shares the bytes of its wire.Kept.
type Data struct {
	// Body is the Span message, to be read by functions of package wire.
	Body             []byte
	Name, TraceState []byte
	Status           int32  // OTLP's number
	Flags            uint32 // OTLP's
}

// Scope is an instrumentation scope.
type Scope struct {
	Name, Version string
	// Header is the ScopeSpans message without its spans, for functions of package wire.
	Header []byte
	// Policy is the sampling policy that the scope names, and Late reports whether it marks its spans as late: "" and false
	// without such marks.
	Policy string
	Late   bool
}

// Origin identifies the arrived spans that a span was made from. Its indexes count the spans of the trace in the order
// of wire.Kept.
type Origin struct {
	// Source is the index of the span; -1 for a synthetic span.
	Source int
	// Others are the indexes of the spans that were merged into it.
	Others []int
	// Synthetic reports whether the span never arrived: it stands for a missing parent, or is the root above
	// such spans.
	Synthetic bool
	// Cause is why a synthetic span is missing, as far as the trace shows.
	Cause Cause
}

// Place is the place of a span in the forest.
type Place struct {
	Parent   int   // index in Trace.Spans; -1 for a root
	Children []int // indexes in Trace.Spans
	Depth    int   // 0 for a root
}

// Timing has the times of a span: raw, and on the trace's common clock.
type Timing struct {
	// Start and End are the raw times in Unix nanoseconds, as they arrived.
	Start, End uint64
	// CorrectedStart and CorrectedEnd are the times on the trace's common clock. Their difference is Duration.
	CorrectedStart, CorrectedEnd uint64
	// Clock is the index of the span's clock; -1 for a synthetic span.
	Clock int
	// Residual was added to this span's times, in nanoseconds, beyond its clock's offset, so that it does not start
	// before its parent.
	Residual int64
	// Shift is the sum of Residual and of those of the span's ancestors on the same clock, in nanoseconds: the
	// whole correction beyond the clock's offset.
	Shift int64
}

// Duration returns the span's duration in nanoseconds, 0 if it has not ended or ends before it starts.
func (t *Timing) Duration() uint64 { return t.CorrectedEnd - t.CorrectedStart }

// RawDuration returns the span's duration in nanoseconds by its raw times, 0 if these are missing or
// inverted.
func (t *Timing) RawDuration() uint64 {
	if t.End < t.Start || t.Start == 0 {
		return 0
	}
	return t.End - t.Start
}

// Offset returns the whole correction of the span's raw times in nanoseconds. It is 0 for synthetic spans, and if the
// start was taken from the parent.
func (s *Span) Offset() int64 {
	if s.Synthetic || !s.Flags.OwnStart() {
		return 0
	}
	return int64(s.CorrectedStart - s.Start)
}

// IsServer reports whether the span is the receiving end of a call across processes.
func (s *Span) IsServer() bool { return s.Kind == wire.KindServer || s.Kind == wire.KindConsumer }

// IsClient reports whether the span is the calling end of a call across processes.
func (s *Span) IsClient() bool { return s.Kind == wire.KindClient || s.Kind == wire.KindProducer }

// MayHaveRemoteParent reports whether another process may have created the span's parent, by the span's flags or, if
// these do not say, by its kind.
func (s *Span) MayHaveRemoteParent() bool {
	if flags := s.Data.Flags; flags&wire.FlagHasIsRemote != 0 {
		return flags&wire.FlagIsRemote != 0
	}
	return s.IsServer()
}

var kindNames = [wire.NumKinds]string{"unspecified", "internal", "server", "client", "producer", "consumer"}

// KindName returns the name of OTLP's number of a kind, "" for an unknown one.
func KindName(kind int32) string {
	if kind < 0 || int(kind) >= len(kindNames) {
		return ""
	}
	return kindNames[kind]
}
