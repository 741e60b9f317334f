// Package tracestore is the exporter `trace_store`: recent kept traces on local disk, for the dashboard to search.
//
// A Config, a factory, and one exporter, which is also the Reader that it announces to extensions. A call groups its
// spans by trace, sums each trace up with processor/trace, and queues it; one goroutine writes what is queued into the
// bbolt file traces.db, a transaction for as much as there is. Late spans are added to their trace, whose version goes
// up. Traces leave by age and when the file is full, oldest first.
//
// Rules. The gateway's real work must not depend on a dashboard: the exporter never returns an error and never waits for
// the disk. What the disk does not take in time is dropped and counted, and Probe tells. A damaged file is moved aside,
// a damaged record skipped. The Reader's methods may be called concurrently, and each does a bounded amount of work.
//
// The file has four buckets besides meta. Times are Unix nanoseconds, 8 bytes, big-endian; an ID is the 16 bytes of the
// trace ID.
//
//	traces     stored time + ID              → record (record.go)
//	ids        ID                            → stored time
//	index      term (8) + start time + ID    → nothing (terms.go)
//	operations service length + both names   → last start time
package tracestore
