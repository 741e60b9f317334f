// Package tracestore is the exporter `trace_store`: recent kept traces on local disk, for the dashboard to search.
//
// A Config, a factory, and the store, which is the exporter and the Reader that it announces to extensions. A call groups
// its spans by trace, sums each trace up (internal/digest), and queues it; the writer, one goroutine, puts what is queued
// into the bbolt file traces.db (internal/tracefile), a transaction for as much as there is. Late spans are added to their
// trace, whose version goes up. Traces leave by age and when the file is full, oldest first.
//
// Rules. The gateway's real work must not depend on a dashboard: the exporter never returns an error and never waits for
// the disk. What the disk does not take in time is dropped and counted, and Probe tells. A damaged file is moved aside,
// a damaged record skipped. The Reader's methods may be called concurrently, and each does a bounded amount of work.
//
// The writer's file is open, or not: then the writer tries again every few seconds, and what is queued waits. The one lock
// here is the queue's, held to append to it or take from it; the file has bbolt's.
package tracestore
