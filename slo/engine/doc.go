// Package engine is the extension `slo`: it evaluates objectives every minute and drives their alerts.
//
// An Extension is the component: the file slo.db, the loop, and, as a Reader, what /api/slo/v1
// and /api/alerts/v1 answer. An evaluator advances the objectives minute by minute: a moment behind the clock (lateness) it reads what
// happened since its watermark from the time series database (package samples) and writes it to the ledger. From the ledger
// follow budgets, burn rates and tiers; from those, alerts; from alerts, deliveries. A transaction is one such step while it is being
// written (package book), and the board holds the statuses that people are shown.
//
// Rules:
//   - Ledger, alerts and outbox change in one transaction, with the watermark: a crash neither loses nor doubles
//     anything (law 6).
//   - Every minute is evaluated once and in order, including those that passed while the gateway or the database was down. The first
//     one is stored at the start that begins the file, or the PromQL objective, not when it is evaluated. The same samples thus
//     give the same transitions, with or without restarts in between. Minutes older than twice the longest window are skipped:
//     nothing would follow from them.
//   - A gap, hours or more without samples in the database, is found by a few queries and recorded in one piece, as unmeasured
//     minutes: a clock that jumped ahead by a year and is believed costs seconds, not 500,000 minutes.
//   - A query that fails stops only the objectives that it is for. They keep their watermark and their alert, and are shown
//     as in error. Objectives whose last query failed or took longer than two seconds are read after all others, in a lane of their own
//     that ends before the next minute is due, so that nobody waits for them.
//   - A definition with for_each has an objective for each service that the samples name. They are added between reading and writing a round,
//     found again in the ledger after a restart, and dropped when nothing was measured for a window.
//   - A PromQL objective that is new, or counts something else, has its past read back between evaluations (package readback), and written
//     into the ledger at once. No alert steps through it.
//   - What the queries of a PromQL objective give is believed only if it can be true; a minute of which it cannot is not measured.
//   - How far each series was read is stored with the ledger, so a late sample is counted in the next minute. Package
//     samples documents how samples are counted.
//   - Time is what the process believes (package clock). Nothing is pruned until that has settled. When it moves back, evaluation
//     goes on from there, and minutes that then lie in the future move back by as much: no event is lost.
//
// Two locks, neither taken while the other is held: evaluator.evaluating is held for an evaluation, by one goroutine
// at a time; Extension.opened is held for reading while a reader uses the file, and for writing while it is opened or closed.
// The board is replaced as a whole after each evaluation.
package engine
