// Package files manages the directory of a span log: it makes, flushes, deletes and reuses files, and finds them after a
// restart. It knows nothing of traces.
//
// Its types are Directory (which one process has at a time), File (a name and a size), Disk (the files of a pool, within
// a budget), Ahead (a journal's file that is made before it is needed) and, for files found at the start, Inventory,
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
// Nobody waits for a leaving file, as deleting one can take a slow disk seconds. Files leave in the order in which they were
// given up, so that a journal stays as long as the segments that it is about.
//
// The records of a superseded file were copied to another. Until the copy is flushed, only the superseded file has them after
// a power cut. A limited number of free files of a segment's size are kept for reuse: their blocks are allocated, and their
// pages are in memory. Records of a former use do not pass as new ones, as checksums begin with the segment's sequence.
//
// # Locks
//
// Disk.mu guards the free files, flusher.mu the dirty and superseded ones, later.mu the leaving and wanted ones; none is held
// during a system call, nor while another is taken. Sync holds flusher.running, also while it calls the function that
// TrackFlush was given; it is taken before all three. later.running is held while a file leaves, and taken before Disk.mu.
package files
