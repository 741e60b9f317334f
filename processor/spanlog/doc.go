// Package spanlog is the buffer for spans whose trace is not decided or not delivered yet: a log of the bytes that
// arrived, and the little that is needed to find a trace's spans in it again.
//
// Its types are Pool (the memory budget and the segments, shared by all shards), Log (one shard's segments), Chain (one
// trace's records in a log; the caller keeps it in its index) and Origin (a resource and scope that records came with).
//
// # Segments
//
// A log is made of segments of a fixed size, filled one after the other. A segment is self-contained: resources and
// scopes are stored in it once, and what its spans refer to is in it.
//
//	offset  size
//	0       4     length of the payload in bytes
//	4       4     bits 31..30: kind (1 resource, 2 scope, 3 span); bits 29..0: what it refers to in this segment:
//	              a span its scope, a scope its resource, by offset
//	8       4     span: offset of the record before it in the same run, 0 at the first; else 0
//	12      …     payload: the span's message body, or the header of the ResourceSpans or ScopeSpans, verbatim
//
// Integers are little-endian. The records of one trace in one segment are a run; a Chain is the list of a trace's runs.
// Runs are what is counted and moved: nothing in a segment's bytes points out of it, so that a run is copied forward by
// copying its records and changing the run.
//
// A segment is recycled when no run in it is live. One that few live runs keep is compacted: they are copied forward
// (Log.Compact, and one segment whenever the log goes on to the next). A record that would fill a good part of a segment
// gets a segment of its own size.
//
// # Rules
//
// A Log is guarded by its shard's mutex, a Pool guards itself. Pool.Reserve is where memory is refused, before anything
// is appended, so that Append cannot fail. Records hold slices of the segments: they are valid until the next call of
// Append, Compact or Release, that is, while the caller holds the mutex.
package spanlog
