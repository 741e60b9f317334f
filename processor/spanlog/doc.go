// Package spanlog buffers spans whose trace is not decided or not delivered yet: a log of the bytes that arrived, in
// memory or in files that survive the process, and a small index that finds a trace's spans in it.
//
// Its types are Pool (the budgets and the free segments, shared by all shards), Log (one shard's segments), Chain (one
// trace's records in a log; the caller keeps it in its index), Origin (a resource and scope that records came with),
// Shrinking (a segment on its way out of memory) and Journal (decisions and deliveries). Below it are packages
// internal/files (the directory: Directory, Inventory, SegmentFile, JournalFile), internal/format (the bytes of a file:
// Event, Found, Damage, Position) and internal/cold (segments that left memory, and their readers), and beside it
// internal/mapped (memory and its faults). This package re-exports the names of theirs that callers need.
//
// # Segments
//
// A log is made of segments of a fixed size, filled one after the other. A segment is self-contained: it stores each
// resource and scope that its spans refer to, once. docs/spanlog-format.md draws it byte by byte; segments in memory have
// the same layout without checksums.
//
// The records of one trace in one segment are a run; a Chain is the list of a trace's runs. The log counts and moves runs:
// nothing in a segment's bytes points out of it, so that a run is copied forward by copying its records and changing the
// run.
//
//	state    bytes are                    goes on to
//	free     in the pool's stock          Append: filling
//	filling  in memory                    full: sealed · last trace released: filling, anew
//	sealed   in memory                    BeginShrink: busy · no live run, compacted: free
//	busy     in memory, or its own file   EndShrink: cold, or as before · no live run: free once EndShrink was called
//	cold     in a file, or compressed     BeginShrink (a raw file, to be compressed): busy · no live run, compacted: gone
//
// A segment with few live runs is compacted: they are copied forward (Log.Compact, and one segment whenever the log
// begins another). A record that would fill a good part of a segment gets a segment of its own size. Where most of that
// is its resource and scope it goes to a wide segment, which records with the same resource and scope share.
//
// # Facts
//
// A Fact is what a decision reads of a span. It is in a slot at the end of the span's segment, in memory or not, and linked with those of
// the same run; an Identity is in a slot per origin. Facts are of this process: they are not read after a restart. Hence nothing depends on
// them: a chain with fewer facts than records is read by its records.
//
// # After a crash
//
// Segments hold spans; the journal holds decisions and deliveries. Positions identify the part of a trace that an event
// of the journal covers: a span keeps its position however often it is copied, and a span that is found twice is
// recognized by it.
//
// # Locks
//
// A Log and its Journal are guarded by the shard's mutex; Pool and Directory guard themselves. Locks are taken in this order:
//
//  1. the lock of internal/files that Sync holds, be it called to make room for files
//  2. the mutexes of shards, one at a time: after a failed flush, by the function that TrackSync was given
//  3. stock.mu and the other locks of internal/files, of which nobody holds two
//
// Hence nobody who holds a shard's mutex calls Reserve or Sync. All other methods of Pool take only locks of the last kind.
//
// Reserve waits at most fillTimeout for files: one goroutine at a time makes them, and flushes others to make room.
// Reading and compacting files gives up the shard's mutex meanwhile (Pause). After Pool.Defer nobody waits until files are
// deleted or journals' files are made: another goroutine does both, and runs while there is work. Events wait in memory
// while the journal's next file is not made yet (Journal.Put). A walk over a trace has its own reader of cold segments: it
// reads several runs at a time without the mutex, and reads again those that were moved meanwhile.
//
// Pool.Reserve refuses what memory or disk has no room for, before anything is appended, so that Append cannot fail.
// Records hold slices of the segments: they are valid until the next record, and the next call of Append, Compact or
// Release.
//
// Where memory is mapped from a file, a failing disk shows as a fault. Callers of Append, Compact and WriteAgain, and those
// who read Records or run a Shrinking, use Guard; after a fault under Append they call Interrupt. Chains are then as they
// were before the record, or the run, that failed. All other methods survive a fault by themselves.
package spanlog
