// Package ledger stores how many total and bad events each objective had in each minute: integers, in bbolt.
//
// A Ledger is the ledger's buckets within one bbolt transaction, so that a caller can write in the same transaction what
// follows from it. A Minute is a minute since the Unix epoch. An Account is what the ledger knows of one objective: its
// first minute, the first minute that it does not have yet (the watermark), and all events so far.
//
// Rules: minutes are appended once, in order; events that arrive later are added to them; a minute without counts is a zero, and a long run of minutes
// without measurements is a Gap. Minutes of a clock that was ahead are moved back. Fractions are carried from minute
// to minute, so rounding never drifts. An objective is known by its name alone: edits of its target, labels or
// indicator keep its history, and a changed indicator is noted. Sums over any window take two look-ups. Minutes that were not
// measured are kept as Runs with a Reason (Unmeasured), exactly, and how much of a window was measured takes two look-ups more.
//
// # Format
//
//	bucket ledger_accounts   objective name → Account as JSON (internal/state)
//	bucket ledger_minutes    hour ‖ account ID → chunk
//	bucket ledger_late       hour ‖ account ID → late events, for a week
//
//	bucket ledger_unmeasured account ID ‖ first minute, 4 bytes each → a run of minutes that were not measured
//
//	hour, account ID         4 bytes each, big endian; the hour first, so that the chunks that one evaluation writes are
//	                         neighbours and a minute of 2,000 objectives dirties tens of pages, not thousands
//	chunk                    1 byte format (1)
//	                         uvarint total, uvarint bad: all events of the account before the hour
//	                         up to 60 × (uvarint total, uvarint bad): the events of each minute; zeros at the end left out
//
//	run                      1 byte reason; 4 bytes the first minute after it; 4 bytes the sum of the minutes of the account's runs
//	                         before it that are not covered; big endian
//	late events              1 byte format (1), then for each minute with any: 1 byte minute of the hour, uvarint total, uvarint bad.
//	                         They are in the minute's events too
//
// An account has a chunk for every hour from its first to its last minute, or, when pruned, from the horizon on, except for hours that
// lie within its gaps.
package ledger
