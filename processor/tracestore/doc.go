// Package tracestore is the exporter `trace_store`: recent kept traces on local disk, for the dashboard to search.
//
// It has a Config, a factory, and the store, which is the exporter and the Reader that it announces to extensions. A call brings
// traces as bytes (wire.Kept) or decoded; decoded ones are converted to that form. It queues for each trace the OTLP request of
// its spans and a summary (internal/digest) of the findings of reconstruction, which it runs itself if need be. The writer, one
// goroutine, writes the queue into the bbolt file traces.db (internal/tracefile), all of it in one transaction, and answers the
// calls. Late spans are added to their trace, whose version goes up. Traces are evicted by age and when the file is full, oldest
// first.
//
// Rules. Success means that the traces are on the disk: until then the sender keeps them, in the sampler's log. A call waits for
// its transaction. There is at most one every 500 ms unless a full batch is there, so small calls share one and a sender with
// much to send does not wait. If the file is not open, cannot be written, does not answer, or the queue is full, the answer is
// retryable; sending stored traces again changes nothing. A trace that can never be stored (it is too large, or trips a defect)
// is dropped and counted. A file that is damaged, or of another format version, is moved aside; a damaged record is skipped. The
// Reader's methods may be called concurrently, and each does a bounded amount of work.
//
// While the file is not open, the writer tries to open it every few seconds. The one lock here is the queue's, held to append to
// it or take from it; the file has bbolt's.
package tracestore
