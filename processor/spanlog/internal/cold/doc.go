// Package cold reads single records back out of segments that left memory, so that a trace costs its own bytes and not those of the
// segments that it is in.
//
// Its types are Segment (where a segment's bytes are), Reader (which follows the records of a trace) and Limit (how many files all
// readers of a pool have open).
//
// A Reader reads runs: the records of one trace in one segment, which form a list from the last to the first. A raw file is read by
// pread, through a window that is as large as what is near was of use. A packed one is decoded block by block, and the blocks that were
// used last are kept. Resources and scopes, which most records share, are kept by origin. The checksum of each record is checked, and
// the lengths of a run's records have to add up.
//
// There are no locks. A Reader is for one goroutine at a time, and holds no more than MaxFiles files open; what it takes in memory is
// Reader.Bytes. A Segment does not change, but for Gone, which whoever guards the log sets.
package cold
