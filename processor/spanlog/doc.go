// Package spanlog is the buffer for spans whose trace is not decided or not delivered yet: a log of the bytes that
// arrived, in memory or in files that survive the process, and the little that is needed to find a trace's spans in it.
//
// Its types are Pool (the budgets and the free segments, shared by all shards), Log (one shard's segments), Chain (one
// trace's records in a log; the caller keeps it in its index), Origin (a resource and scope that records came with),
// Shrinking (a segment on its way out of memory) and Journal (what became of traces). Below it are packages
// internal/files (the directory: Directory, Inventory, SegmentFile, JournalFile), internal/format (the bytes of a file:
// Event, Found, Damage, Position) and internal/cold (segments that left memory, and what reads records of them), and beside it
// internal/mapped (memory and its faults). Names of theirs that callers need are here too.
//
// # Segments
//
// A log is made of segments of a fixed size, filled one after the other. A segment is self-contained: resources and
// scopes are stored in it once, and what its spans refer to is in it. docs/spanlog-format.md draws it byte by byte; in
// memory it is the same without checksums.
//
// The records of one trace in one segment are a run; a Chain is the list of a trace's runs. Runs are what is counted and
// moved: nothing in a segment's bytes points out of it, so that a run is copied forward by copying its records and
// changing the run.
//
//	state    bytes are                    goes on to
//	free     in the pool's stock          Append: filling
//	filling  in memory                    full: sealed · last trace released: filling, anew
//	sealed   in memory                    BeginShrink: busy · no live run, compacted: free
//	busy     in memory, or its own file   EndShrink: cold, or as before · no live run: free once EndShrink was called
//	cold     in a file, or compressed     BeginShrink (a raw file, to be compressed): busy · no live run, compacted: gone
//
// A segment that few live runs keep is compacted: they are copied forward (Log.Compact, and one segment whenever the log
// goes on to the next). A record that would fill a good part of a segment gets a segment of its own size; where its resource and scope are
// what is large, a wide segment, which those with the same share.
//
// # After a crash
//
// Segments hold spans, not what became of them: that is in the journal. A part of a trace is known by the positions of
// its spans, so that an event of the journal covers exactly the spans that it is about, however often these were copied
// since, and a span that was found twice is known to be one.
//
// # Locks
//
// A Log and its Journal are guarded by the shard's mutex; Pool and Directory guard themselves. Locks are taken in this order:
//
//  1. the lock of internal/files that Sync holds, be it called to make room for files
//  2. the mutexes of shards, one at a time: after a flush that failed, by the function that TrackSync was given
//  3. stock.mu and the other locks of internal/files, of which nobody holds two
//
// Hence nobody who holds a shard's mutex calls Reserve or Sync. All other methods of Pool take locks of the last kind only.
//
// Reserve never waits long: files are made, and flushed to make room, on a goroutine of its own, of which there is one at a time, and
// a caller waits for it for fillTimeout at most. Reading and compacting what is in files gives the shard's mutex up meanwhile (Pause).
// After Pool.Defer nobody waits for files to be deleted, nor for those of journals to be made: another goroutine does that, which runs
// while there is something to do. Events wait in memory where it is not quick enough (Journal.Put).
// A walk over a trace has a reader of cold segments of its own: it reads several runs at a time without the mutex, and again what was
// moved meanwhile.
//
// Pool.Reserve is where memory and disk are refused, before anything is appended, so that Append cannot fail. Records hold
// slices of the segments: they are valid until the next record, and the next call of Append, Compact or Release.
//
// Where memory is a file's a disk that fails is a fault. Callers of Append, Compact and WriteAgain, and those who read
// Records or run a Shrinking, use Guard; after a fault under Append they call Interrupt. Chains are then as they were before
// the record, or the run, that failed. All other methods survive a fault by themselves.
package spanlog
