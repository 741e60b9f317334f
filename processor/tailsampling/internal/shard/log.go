package shard

import (
	"iter"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// Log is where a shard's spans are. A position is higher than those of all spans that were appended before it was asked
// for, so that parts of traces are distinguished by positions. *spanlog.Log is one. All is done with the shard's mutex.
type Log interface {
	// Append adds a span's message body to the records of a trace. It copies what it keeps.
	Append(c *spanlog.Chain, o *spanlog.Origin, body []byte)
	// Records yields the records of a trace, and an error in place of those that cannot be read; see spanlog.Log.
	Records(c spanlog.Chain, pause spanlog.Pause) iter.Seq2[spanlog.Record, error]
	// Release gives the records of a trace up.
	Release(c *spanlog.Chain)
	// Position is higher than that of every span in the log, and not higher than that of any to come.
	Position() spanlog.Position
	// Newer reports whether a record of a trace was written, or copied, after a position.
	Newer(c spanlog.Chain, position spanlog.Position) bool
}

// Journal is where a shard writes down what becomes of parts of traces, so that it is known after a crash. All is done with
// the shard's mutex.
type Journal interface {
	// Put writes an event of that time.
	Put(e spanlog.Event, at clock.UnixMilli)
	// Full reports whether it is time to call Trim.
	Full() bool
	// Trim deletes what is not needed any more. Before that it calls repeat with the highest sequence of what it will
	// delete: events about parts that end there or before, and are still there, must be put once more.
	Trim(repeat func(highest uint64))
}

// NoJournal discards everything: what is in memory does not survive a crash.
type NoJournal struct{}

// Put discards an event.
func (NoJournal) Put(spanlog.Event, clock.UnixMilli) {}

// Full reports false.
func (NoJournal) Full() bool { return false }

// Trim does nothing.
func (NoJournal) Trim(func(uint64)) {}
