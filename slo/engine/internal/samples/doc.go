// Package samples reads from a time series database what happened in some minutes: the events of span objectives from the raw
// samples of the connector sli, and those of PromQL objectives by their queries. It keeps nothing.
//
// Its types are Querier (what is needed of a database) and Cursor (how far a series was read).
//
// Rules:
//   - Span objectives are counted from raw samples, not with increase(), which extrapolates: the steps of each series add
//     up exactly. A value below the one before it is a restart of the counter and counts in full. Cursors say how far each
//     series was read, so a sample that comes late, after its minute was evaluated, is counted in the next one.
//   - The first sample of a series is where its counting starts, and counts nothing, even if it is not zero. The
//     connector sli writes a zero first, so it loses nothing by it, even where samples could not be written for up to an
//     hour. A series that is new here and not zero was counting before: after slo.db was lost, or after the database was
//     unreachable for longer than it can be read back. Taking its value for the events of one minute would page people
//     for errors of last week.
package samples
