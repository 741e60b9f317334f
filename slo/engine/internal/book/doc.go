// Package book is the file slo.db: the ledger, the outbox, and what evaluation keeps beside them. It opens the file, and
// reads and writes within a transaction of the caller, who puts what belongs together into one.
//
// It has no types of its own. Its buckets are alerts (by objective), alert_episodes (alerts that resolved, by their end),
// span_cursors (how far each series was read) and engine (the watermark of the span objectives); those of package ledger and
// of package notify are described there.
package book
