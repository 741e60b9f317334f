package failpoint

// Point is a step that persists something: component, dot, step.
type Point string

// The span log: segments, journals, and their files.
const (
	SpanlogCreate    Point = "spanlog.create"    // a file, with its space on the disk
	SpanlogBegin     Point = "spanlog.begin"     // a segment's header and magic
	SpanlogAppend    Point = "spanlog.append"    // a record's bytes
	SpanlogCommit    Point = "spanlog.commit"    // the length up to which a segment's records are complete
	SpanlogCopy      Point = "spanlog.copy"      // a run, copied forward out of a sparse segment
	SpanlogPack      Point = "spanlog.pack"      // a compressed segment, under a temporary name
	SpanlogRename    Point = "spanlog.rename"    // its name
	SpanlogFree      Point = "spanlog.free"      // the mark that a mapped segment has no live spans
	SpanlogGiveUp    Point = "spanlog.giveup"    // the same in a file that is not mapped
	SpanlogRemove    Point = "spanlog.remove"    // a deleted file
	SpanlogFsync     Point = "spanlog.fsync"     // a flush of all dirty files
	SpanlogAside     Point = "spanlog.aside"     // a damaged file's new name
	JournalBegin     Point = "journal.begin"     // a journal's header and names
	JournalDecided   Point = "journal.decided"   // a decision
	JournalAttempted Point = "journal.attempted" // that a destination is about to get a trace
	JournalDelivered Point = "journal.delivered" // that a destination has a trace
	RecoverySegment  Point = "recovery.segment"  // deleting a copied segment of other shards
	RecoveryJournals Point = "recovery.journals" // deleting rewritten journals of other shards or destinations
)

// The counts of sli.
const (
	CountsBegin    Point = "counts.begin"    // a generation's name, once its head is in it
	CountsAppend   Point = "counts.append"   // a record
	CountsMark     Point = "counts.mark"     // the mark of the log's complete part, and the generation's state
	CountsSnapshot Point = "counts.snapshot" // the bytes of a snapshot
	CountsCommit   Point = "counts.commit"   // the mark that the snapshot is valid
	CountsSettle   Point = "counts.settle"   // a flush of the snapshot
	CountsRemove   Point = "counts.remove"   // a deleted generation
	CountsAside    Point = "counts.aside"    // a damaged generation's new name
	CountsDesert   Point = "counts.desert"   // the mark that a generation no longer counts, as counting goes on in memory
	CountsClose    Point = "counts.close"    // the mark that a generation is complete, on the disk too
)

// The databases.
const (
	StateCreate   Point = "state.create"   // the buckets of a new bbolt file
	StateAside    Point = "state.aside"    // the new name of a bbolt file that was damaged in use
	LedgerAside   Point = "ledger.aside"   // the new name of a ledger that was damaged when opened
	LedgerRecover Point = "ledger.recover" // the effects of a changed configuration
	LedgerWrite   Point = "ledger.write"   // an evaluation: ledger, alerts, outbox
	LedgerPrune   Point = "ledger.prune"   // deleting old data
	LedgerRewind  Point = "ledger.rewind"  // the effects of a clock that was set back for good
	OutboxRecord  Point = "outbox.record"  // the result of a delivery
	TracesCommit  Point = "traces.commit"  // a transaction of the trace store
	TracesAside   Point = "traces.aside"   // the new name of the trace store's damaged file
	FormatMove    Point = "format.move"    // the new name of a file of another format version, whatever it holds
	TSDBCommit    Point = "tsdb.commit"    // samples
	TSDBAside     Point = "tsdb.aside"     // the new place of a part of the database that cannot be read, or lies ahead of the clock
	TSDBTrim      Point = "tsdb.trim"      // the log without the series for which there is no room
)
