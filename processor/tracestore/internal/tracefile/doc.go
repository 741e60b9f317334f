// Package tracefile is the bbolt file of the trace store: traces, and the indexes that find them.
//
// A File puts Items, which are traces or late spans of one, evicts the oldest, and answers what a reader asks: a trace by
// its ID, the operations of each service, and by Search the traces that match a Query. Times are Unix nanoseconds, 8
// bytes, big-endian; an ID is the 16 bytes of the trace ID. The buckets, besides meta:
//
//	traces     stored time + ID              → record (package record)
//	ids        ID                            → stored time
//	index      term (8) + start time + ID    → nothing (position.go)
//	operations service length + both names   → last start time
//
// One goroutine writes: Put, Evict and Prune are not for concurrent use. All else may be called concurrently, and does a
// bounded amount of work. The locks are bbolt's. An error that is state.ErrCorrupt says that the file is damaged, or the
// disk under it; a damaged record is passed over and counted.
package tracefile
