// Package covered finds out how much of the windows of an objective was measured, and how many events are expected of them.
//
// Its types are Outages (the minutes of which this process knows that they were not measured), Whole (an account's profile of a week, as of
// an hour), Reading (windows in one pass) and Gaps (what was not measured, as people are shown it).
//
// Rules:
//   - A minute of spans without a sample is measured, and had no events, unless something kept it from being measured: the process did
//     not run, the database was away, or counts were sent and did not arrive, or the clock jumped over it. The connector sli ends the
//     series of a quiet service, so no sample is no proof.
//   - A minute of PromQL without a value is not measured.
//   - What was counted late is covered: the counters of sli go on while the database is away, and what they counted comes when it is back.
package covered
