// Package place stores records of counts so that they survive the process, and returns them after a crash. It
// does not know what a record contains.
//
// Its types are Place (the store), Generation (a log, and the snapshot before it) and Directory, the Place
// of one connector in files. In another Place, a log that others hold already needs no records at all, only snapshots.
//
// # States of a generation
//
//	state       in its file              left by
//	begun       a head                   Commit: committed · Close of its Place, a crash: still read, behind the one before
//	committed   a head, and a snapshot   Commit of the next: deleted · Close: closed
//	abandoned   marked as such           Commit of the next: deleted · a crash: not read, because counts went on without it
//	closed      all, fsynced             the next process
//
// There is one file per connector; while a snapshot is being written there are two. A record is copied to mapped memory of the
// file, so the kernel has it even if the process is killed. The room for it was allocated when the file was made: a full
// disk is an error then, and no fault at a store.
//
// # Damage
//
// Counts that decrease would count as a reset, and be counted twice. So Mark records how far the log is
// complete, before its counts are sent: the mark and the state are one word, stored atomically. Recover returns all records
// before the mark, or reports that the file is damaged and moves it aside. Behind the mark a writer that was killed may have
// left a gap, which is skipped.
//
// A file in use can be damaged or removed, and still accepts records. Check detects that; the caller then begins the next
// generation from what is in memory.
//
// # Power cuts
//
// A snapshot is fsynced before the former generation is deleted, and so is everything at Close. Of the log, the
// disk has what the kernel happened to write, so files of another boot that were not closed are not read.
//
// # Locks
//
// There are none: Append reserves room with one atomic addition. All other methods are for one goroutine.
package place
