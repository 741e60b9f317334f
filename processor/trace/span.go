package trace

import "github.com/slowburn/slowburn/internal/wire"

// Span is a node of the forest: a span that arrived, or a synthetic one that stands for one that did not.
type Span struct {
	// Data is the span as it arrived; for FlagMerged, what several added up to. It is empty for a synthetic span.
	Data Data
	Origin

	ID       wire.SpanID
	ParentID wire.SpanID // as it arrived, whatever became of it
	Kind     int32       // OTLP's number
	Scope    *Scope      // nil for a synthetic span
	Resource int         // index in Trace.Resources; -1 for a synthetic span
	Service  string

	Place
	Timing

	Flags Flags
	Links []Link
}

// Data is what a span says of itself, in place: it shares the bytes that the trace was made of.
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
	// Policy is the sampling policy that the scope names, and Late says that it marks its spans as such: "" and false where
	// it says nothing.
	Policy string
	Late   bool
}

// Origin is what a span was made of. Its indexes count the spans that arrived of the trace, in the order of wire.Kept.
type Origin struct {
	// Source is the index of the span; -1 for a synthetic span.
	Source int
	// Others are the indexes of the spans that were merged into it.
	Others []int
	// Synthetic says that the span never arrived: the placeholder of a missing parent, or the root above those.
	Synthetic bool
	// Cause is why a synthetic span is missing, as far as the trace tells.
	Cause Cause
}

// Place is where a span stands in the forest.
type Place struct {
	Parent   int   // index in Trace.Spans; -1 for a root
	Children []int // indexes in Trace.Spans
	Depth    int   // 0 for a root
}

// Timing is when a span ran: as its own clock told, and on the trace's common clock.
type Timing struct {
	// Start and End are the raw times in Unix nanoseconds, as they arrived.
	Start, End uint64
	// CorrectedStart and CorrectedEnd are the times on the trace's common clock. Their difference is Duration.
	CorrectedStart, CorrectedEnd uint64
	// Clock is the index of the clock that timed the span; -1 for a synthetic span.
	Clock int
	// Residual is what was added to this span's times in nanoseconds, beyond its clock's offset, so that it does not
	// start before its parent.
	Residual int64
	// Shift is the Residual and those of the span's ancestors on the same clock, in nanoseconds: all that was added
	// beyond the clock's offset.
	Shift int64
}

// Duration is the span's duration in nanoseconds: 0 where it has not ended or ends before it starts.
func (t *Timing) Duration() uint64 { return t.CorrectedEnd - t.CorrectedStart }

// RawDuration is the span's duration in nanoseconds by its own times, and 0 where they give none.
func (t *Timing) RawDuration() uint64 {
	if t.End < t.Start || t.Start == 0 {
		return 0
	}
	return t.End - t.Start
}

// Offset is what was added to the span's raw times, in nanoseconds. 0 for synthetic spans and where the start was taken
// from the parent.
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

// MayHaveRemoteParent reports whether another process may have made the span's parent, by the span's flags and, where
// they do not tell, by its kind.
func (s *Span) MayHaveRemoteParent() bool {
	if flags := s.Data.Flags; flags&wire.FlagHasIsRemote != 0 {
		return flags&wire.FlagIsRemote != 0
	}
	return s.IsServer()
}

var kindNames = [wire.NumKinds]string{"unspecified", "internal", "server", "client", "producer", "consumer"}

// KindName is the name of OTLP's number of a kind, "" for one that OTLP does not know.
func KindName(kind int32) string {
	if kind < 0 || int(kind) >= len(kindNames) {
		return ""
	}
	return kindNames[kind]
}
