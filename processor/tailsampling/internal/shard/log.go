package shard

import (
	"iter"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// Log stores a shard's spans. A position is higher than those of all spans appended before it was taken, so that
// positions separate the parts of a trace. *spanlog.Log is one. All methods are called with the shard's mutex.
type Log interface {
	// Append adds a span's message body to the records of a trace. It keeps no reference to its arguments.
	Append(c *spanlog.Chain, o *spanlog.Origin, body []byte)
	// AppendWithFact is Append, and stores what a decision reads of the span, for Facts. identify returns the identity of a resource, given
	// its header.
	AppendWithFact(c *spanlog.Chain, o *spanlog.Origin, body []byte, f *spanlog.Fact, identify spanlog.Identify)
	// Facts yields the facts of a trace's records, and reports whether it read all that there are: records that were appended without, or
	// copied, may have none; see spanlog.Log.
	Facts(c spanlog.Chain, yield func(f *spanlog.Fact, resource *spanlog.Identity)) (all bool)
	// Records yields the records of a trace, and an error for each that cannot be read; see spanlog.Log.
	Records(c spanlog.Chain, pause spanlog.Pause) iter.Seq2[spanlog.Record, error]
	// Release releases the records of a trace.
	Release(c *spanlog.Chain)
	// Position is higher than that of every span in the log, and at most that of the next one.
	Position() spanlog.Position
	// Newer reports whether a record of a trace was written or copied after a position.
	Newer(c spanlog.Chain, position spanlog.Position) bool
}

// Journal records the fates of parts of traces, so that they are known after a crash. All methods are called with the
// shard's mutex.
type Journal interface {
	// Put writes an event with its time.
	Put(e spanlog.Event, at clock.UnixMilli)
	// Full reports whether Trim must be called.
	Full() bool
	// Trim deletes old files. Before that it calls repeat with the highest sequence in them: events about parts that
	// end there or before and still exist must be put again.
	Trim(repeat func(highest uint64))
}

// NoJournal discards all events: with storage memory nothing survives a crash.
type NoJournal struct{}

// Put discards an event.
func (NoJournal) Put(spanlog.Event, clock.UnixMilli) {}

// Full reports whether it is full, which it never is.
func (NoJournal) Full() bool { return false }

// Trim does nothing.
func (NoJournal) Trim(func(uint64)) {}
