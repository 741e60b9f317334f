// Package tracefile is the bbolt file of the trace store: traces, and the indexes that find them.
//
// A File stores Items, which are traces or late spans of one, evicts the oldest, and answers readers: a trace by its ID, the
// operations of each service, and the traces that match a Query (Search). Times are Unix nanoseconds, 8
// bytes, big-endian; an ID is the 16 bytes of the trace ID; a chunk's number counts from 1. The buckets, besides meta:
//
//	chunks     chunk                         → the traces of a transaction, or a part of them (chunk.go), a blob (blob.go)
//	updates    chunk + slot                  → record (package record) of a trace that got late spans, in place of that in the chunk
//	           chunk + slot + 0              → of a large trace, what is known of it with the late spans that are beside it (late.go)
//	           chunk + slot + hash (8)       → late spans beside it, as they came; empty once they are in it. Large values are blobs
//	ids        last chunk                    → a run: where the traces of some chunks are, by ID (runs.go), a blob
//	index      grain (4) + term (8) + chunk  → slots, 2 bytes each, of the traces that have the term and start in the grain
//	           the same + slot               → position of such a trace with a record in updates (position.go)
//	operations service length + both names   → last start time
//
// The forms of ids and index make a write touch adjacent pages, whatever the IDs and terms. Chunks are evicted in the order of
// their numbers, with their entries in index and updates; ids may name evicted traces for a while.
//
// One goroutine writes: Put, Evict and Prune are not for concurrent use. All other methods may be called concurrently, and do a
// bounded amount of work. The locks are bbolt's. The error state.ErrCorrupt says that the file is damaged, or the disk under it;
// a damaged record or chunk head is skipped and counted.
package tracefile
