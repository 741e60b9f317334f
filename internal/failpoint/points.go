package failpoint

// Point is a step that persists something: component, dot, step.
type Point string

// The span log: segments, journals, and what becomes of their files.
const (
	SpanlogCreate    Point = "spanlog.create"    // a file, with its room on the disk
	SpanlogBegin     Point = "spanlog.begin"     // a segment's header and magic
	SpanlogAppend    Point = "spanlog.append"    // a record's bytes
	SpanlogCommit    Point = "spanlog.commit"    // the length up to which a segment's records are complete
	SpanlogCopy      Point = "spanlog.copy"      // a run, copied forward out of a sparse segment
	SpanlogPack      Point = "spanlog.pack"      // a compressed segment, under a temporary name
	SpanlogRename    Point = "spanlog.rename"    // its name
	SpanlogFree      Point = "spanlog.free"      // the mark that nothing in a mapped segment is wanted
	SpanlogGiveUp    Point = "spanlog.giveup"    // the same in a file that is not mapped
	SpanlogRemove    Point = "spanlog.remove"    // a deleted file
	SpanlogFsync     Point = "spanlog.fsync"     // a flush of all dirty files
	SpanlogAside     Point = "spanlog.aside"     // a damaged file's new name
	SpanlogMove      Point = "spanlog.move"      // the place of a file of another format version, or of all of them together
	JournalBegin     Point = "journal.begin"     // a journal's header and names
	JournalDecided   Point = "journal.decided"   // a decision
	JournalAttempted Point = "journal.attempted" // that a destination is about to get a trace
	JournalDelivered Point = "journal.delivered" // that a destination has a trace
	RecoverySegment  Point = "recovery.segment"  // a segment of other shards, deleted once it is copied
	RecoveryJournals Point = "recovery.journals" // journals of other shards or destinations, deleted once they are written anew
)

// The counts of sli.
const (
	CountsBegin    Point = "counts.begin"    // a generation's name, once its head is in it
	CountsAppend   Point = "counts.append"   // a record
	CountsMark     Point = "counts.mark"     // how far the log is complete, and the generation's state
	CountsSnapshot Point = "counts.snapshot" // the bytes of a snapshot
	CountsCommit   Point = "counts.commit"   // that the snapshot counts
	CountsSettle   Point = "counts.settle"   // a flush of the snapshot
	CountsRemove   Point = "counts.remove"   // a deleted generation
	CountsAside    Point = "counts.aside"    // a damaged generation's new name
	CountsDesert   Point = "counts.desert"   // that a generation does not count any more, as counting goes on in memory
	CountsClose    Point = "counts.close"    // that a generation is complete, on the disk too
)

// The databases.
const (
	StateCreate   Point = "state.create"   // the buckets of a new bbolt file
	StateAside    Point = "state.aside"    // the new name of a bbolt file that was damaged while it was used
	LedgerAside   Point = "ledger.aside"   // that of one that is damaged when it is opened
	LedgerRecover Point = "ledger.recover" // what follows from a configuration that changed
	LedgerWrite   Point = "ledger.write"   // an evaluation: ledger, alerts, outbox
	LedgerPrune   Point = "ledger.prune"   // what is too old
	LedgerRewind  Point = "ledger.rewind"  // what follows from a clock that was set back for good
	OutboxRecord  Point = "outbox.record"  // what came of an attempt to deliver
	TracesCommit  Point = "traces.commit"  // a transaction of the trace store
	TracesAside   Point = "traces.aside"   // the new name of the trace store's file, damaged or of another format version
	TSDBCommit    Point = "tsdb.commit"    // samples
	TSDBAside     Point = "tsdb.aside"     // the new place of a part of the database that cannot be read, or lies ahead of the clock
	TSDBTrim      Point = "tsdb.trim"      // the log without the series for which there is no room
)
