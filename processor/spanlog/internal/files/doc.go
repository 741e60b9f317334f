// Package files is the directory of a span log: its files are made, flushed, given up and filled again here, and found
// again after a restart. It knows nothing of traces.
//
// Its types are Directory (which one process has at a time), File (a name and a size), Disk (the files of a pool, within
// a budget), Ahead (a journal's file that is made before it is needed) and, for what was there at the start, Inventory,
// SegmentFile and JournalFile.
//
// # States of a file
//
//	state          on disk                left by
//	in use         its magic              Retire: leaving · GiveUp: leaving · Supersede: superseded
//	superseded     its magic              Sync: leaving
//	leaving        its magic, or as free  Upkeep, Make: free, or deleted
//	free           "slowfree"             Make, and its like: in use · Close, the next start: deleted
//	damaged        renamed to .damaged    nobody
//	other version  renamed to .format-N   nobody
//
// Nobody waits for a file that leaves, as to delete one can take a slow disk seconds. Files leave in the order in which they were given up,
// so that a journal is there for as long as the segments that it is about.
//
// A superseded file was copied to another one. Until that is flushed it is the only one to have its spans after a power
// cut. Free files of the size of a segment are kept to be filled again, up to a number: the system has set their blocks
// aside, and their pages are in memory. What their former use left in them is no record of the new one, as the checksums
// begin with the segment's sequence.
//
// # Locks
//
// Disk.mu guards the free files, flusher.mu what is dirty or superseded, later.mu what leaves or is to be made; none is held during a system
// call, nor while another is taken. flusher.running is held by Sync, also while that calls the function that TrackFlush was given, and
// taken before all three. later.running is held while a file leaves, and taken before Disk.mu.
package files
