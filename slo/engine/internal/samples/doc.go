// Package samples reads the events of minutes from a time series database: those of span objectives from the raw
// samples of the connector sli, those of PromQL objectives by their queries. It is stateless.
//
// Its types are Querier (the database), Cursor (how far a series was read) and Counts (the events of minutes) and
// Earlier (events of minutes before).
//
// Rules:
//   - Span objectives are counted from raw samples, not with increase(), which extrapolates: the increments of each series add
//     up exactly. A value below the one before it is a restart of the counter and counts in full. Cursors say how far each
//     series was read, so a sample that arrives after its minute was evaluated is counted too.
//   - The label age of a series says how many minutes before its samples the spans ended. Events belong to that minute, which is in the
//     ledger already: they are Earlier. A window bounds how far back; older events are late, and belong to the oldest minute of it.
//   - The first sample of a series is where its counting starts, and counts nothing, even if it is not zero. The
//     connector sli writes a zero first, so it loses nothing by it, even where samples could not be written for up to an
//     hour, and queries failed since. A series that is new here and not zero was counting before: after slo.db was lost, or after the database was
//     unreachable for longer than it can be read back. Counting its value as the events of one minute would page people
//     for errors of last week.
package samples
