// Package engine is the extension `slo`: it evaluates objectives every minute and drives their alerts.
//
// An Extension holds the objectives, the file slo.db and the loop. Each minute, a moment behind the clock (lateness), it
// reads what happened since its watermark from the time series database, a Querier, and writes it to the ledger. From the
// ledger follow budgets, burn rates and tiers; from those, alerts; from alerts, deliveries. A Reader gives the results to
// people, as the JSON of /api/slo/v1 and /api/alerts/v1.
//
// Rules:
//   - Ledger, alerts and outbox change in one transaction, with the watermark: a crash neither loses nor doubles
//     anything (law 6).
//   - Every minute is evaluated once and in order, also those that passed while the gateway or the database was down.
//     The same samples thus give the same transitions, with or without restarts in between. Minutes older than twice
//     the longest window are left out: nothing would follow from them.
//   - A query that fails stops only the objectives that it is for. They keep their watermark and their alert, and say
//     that they are in error.
//   - Span objectives are counted from raw samples, not with increase(), which extrapolates: the steps of each series
//     add up exactly. A value below the one before it is a restart of the counter and counts in full. How far each
//     series was read is kept with the ledger, so a sample that comes late, after its minute was evaluated, is counted
//     in the next one.
//   - The first sample of a series is where its counting starts, and counts nothing, even if it is not zero. The
//     connector sli writes a zero first, so it loses nothing by it, even where samples could not be written for up to an
//     hour. A series that is new here and not zero was counting before: after slo.db was lost, or after the database was
//     unreachable for longer than it can be read back. Taking its value for the events of one minute would page people
//     for errors of last week.
//   - A wall clock that jumps by more than two minutes against the monotonic one is not believed for five minutes, in which
//     nothing is evaluated; the minutes are made up for after. Nothing is pruned in the first five minutes of a process or
//     of a clock that jumped. A clock that was set back for good makes evaluation go on from now: minutes that were
//     evaluated and are now in the future are forgotten, and evaluated when they come.
//
// A mutex guards evaluations, which only one goroutine makes. What people read is swapped in whole after each.
package engine
