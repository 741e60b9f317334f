// Package book reads and writes the file slo.db: the ledger, the outbox, and the state of evaluation. It opens the file, and
// works within transactions of the caller, which group what must change together.
//
// It has no types of its own. Its buckets are alerts (by objective), alert_episodes (alerts that resolved, by their end),
// span_cursors (how far each series was read) and engine (the watermark of the span objectives); those of the packages
// ledger, parts and notify are described there.
package book
