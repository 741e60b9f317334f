// Package derive computes what an objective counts where that is not the events that are read: slices of time, minutes with enough
// events or the usual ones, and sums of other objectives. It works within transactions of the caller.
//
// The events of slices, throughput and freshness have an account of their own in the ledger, under EventsAccount. Book appends to it and
// returns what to append to the objective's account. Compose returns the same for a composite objective, from the accounts of its
// components. It has no state, and no types of its own.
//
// Rules:
//   - Slices and minutes are judged once, when their events are booked.
//   - Events of slices, throughput and freshness count in the minute in which they arrive; those that are late do not.
//   - Events that are added to earlier minutes of a component are added to the same minutes of a composite.
//   - An account holds one unit. When an objective's unit changes (SameUnit), its account is replaced.
//   - A slice counts in its last minute. It is judged if all of it is in the account of the events and some of it was measured.
//   - A minute of freshness is bad if traffic has probably stopped by then: by the intervals around the same half hour of the last four
//     weeks (package accrual), or, until a week is known, after half an hour if there was traffic in every five minutes of the two hours before.
//   - A minute of throughput or freshness is judged if the connector sli counted from its start to its end.
package derive
