// Package place is where counts live so that they survive the process: records go in, and come out again after a crash. It
// knows nothing of what a record says.
//
// Its types are Place (what keeps them), Generation (a log, and the snapshot that it begins behind) and Directory, the Place
// of one connector in files. In another Place, a log that others hold already needs no records at all, only snapshots.
//
// # States of a generation
//
//	state       in its file              left by
//	begun       a head                   Commit: committed · Close of its Place, a crash: still read, behind the one before
//	committed   a head, and a snapshot   Commit of the next: deleted · Close: closed
//	deserted    marked as such           Commit of the next: deleted · a crash: not read, as counts went on without it
//	closed      all, on the disk too     the next process
//
// There is one file per connector; while a snapshot is being written there are two. A record is copied to the memory of the
// file, so the kernel has it, whatever becomes of the process. The room for it was set aside when the file was made: a full
// disk is an error then, and not a fault under a store.
//
// # Damage
//
// Counts that go back would be taken for a counter that began anew, and be counted twice. So Mark notes how far the log is
// complete, before others are told of what is in it: the mark and the state are one word, stored at once. Recover takes all that
// is before the mark, or says that the file is damaged and moves it aside. Behind the mark a writer that was killed may have
// left a gap, which is passed over.
//
// A file in use can be damaged, too, or removed, and takes records all the same. Check notices it; whoever counts then begins the next
// generation from what is in memory.
//
// # Power cuts
//
// A snapshot is flushed to the disk before the former generation is deleted, and so is everything at Close. Of the log, the
// disk has what the kernel wrote by then, so files of another boot that were not closed are not read.
//
// # Locks
//
// There are none: Append reserves room with one atomic addition. All else is for one goroutine.
package place
