// Package count counts spans: calls, durations and the events of objectives, by service, operation, version and reason. It
// knows neither the Collector nor a clock.
//
// Its types are Counter (all that was counted), Log (what keeps records of it), EventSeries and CallSeries (time series of it, with
// what a reader notes of them in Series), EventPoint and CallPoint (copies of their content), and the numbers Weight and
// Histogram. Inside, a stripe makes a record of a request, by a tree of services, operations and tallies that a span finds its way
// through without a lock; and an indicator is an objective compiled for matching: what can be answered once per name is answered in the
// tree, and package judge answers the rest for each span.
//
//	a count is   in                                      moved on by
//	a record     a stripe's pending, and the log         fold: when 64 KiB came together, or somebody reads
//	a call       its series' recent calls                settle: when 51 came together, or somebody reads
//	a number     its series                              SwitchLog: written to a snapshot, which makes the log needless
//
// Rules:
//   - The counts are what the records say, before a crash and after: fold and Restore apply them by the same code.
//   - A series has a number, by which records name it. Its definition is in the log before anybody can find the number.
//   - A span whose trace or span ID is zero is none: OTLP forbids it.
//   - Counts are fixed point, so their sum does not depend on order; whole numbers stay whole. The buckets of a histogram
//     are whole numbers, so fractions are carried to the next span of the series.
//   - A value beyond a limit is counted under Other; what an objective names is never beyond a limit. Totals are exact
//     whatever the limits are.
//   - Counting what was seen before allocates nothing.
package count
