// Package tracestore is the exporter `trace_store`: recent kept traces on local disk, for the dashboard to search.
//
// A Config, a factory, and the store, which is the exporter and the Reader that it announces to extensions. A call takes
// traces as bytes (wire.Kept) or decoded, which it brings into that form; of each it queues the OTLP request of its spans, and
// a summary (internal/digest) of what reconstruction found, or finds here. The writer, one goroutine, puts what is queued
// into the bbolt file traces.db (internal/tracefile), a transaction for as much as there is, and answers the calls. Late spans
// are added to their trace, whose version goes up. Traces leave by age and when the file is full, oldest first.
//
// Rules. Success means that the traces are on the disk: until then whoever sends them has them, which is the sampler's log. A
// call waits for its transaction, of which there is one each 500 ms at most unless a full batch is there, so small calls
// share one and a sender with much to send does not wait. Where the file is not open, cannot be written, does not answer, or
// the queue is full, the answer is one to retry; what was stored already changes nothing when it comes again. What can never be
// stored (too large, or it trips a defect) is dropped and counted. A file that is damaged, or of another format version, is moved
// aside; a damaged record is skipped. The Reader's methods may be called concurrently, and each does a bounded amount of work.
//
// The writer's file is open, or not: then the writer tries again every few seconds. The one lock here is the queue's, held to
// append to it or take from it; the file has bbolt's.
package tracestore
