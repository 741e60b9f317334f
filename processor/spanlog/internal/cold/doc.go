// Package cold reads single records of segments that left memory, so that reading a trace does not read the whole segments
// that hold it.
//
// Its types are Segment (where a segment's bytes are), Reader (which reads the records of a trace), FactReader (which reads what decisions
// need of them) and Limit (how many files all readers of a pool have open).
//
// A Reader reads runs: the records of one trace in one segment, linked from the last to the first. It reads a raw file by pread,
// through a window that grows while most of its bytes are used. It decodes a packed file block by block, and keeps the blocks
// that were used last. It keeps resources and scopes by position, as most records share them. It checks the checksum of each
// record, and that the sizes of a run's records add up.
//
// A FactReader reads facts in pages of 16 KiB, and keeps those that were used last: traces that are decided together arrived together. It
// checks a page's checksum, which Facts has since the segment left memory.
//
// There are no locks. A Reader is for one goroutine at a time, and holds at most MaxFiles files open; Reader.Bytes is its memory. So does a FactReader.
// A Segment does not change, except for Gone, which the log's mutex guards.
package cold
