// Package count counts spans: calls, durations and the events of objectives, by service, operation, version and reason. It
// knows neither the Collector nor a clock.
//
// Its types are Counter (all that was counted, and the mutex over it), EventSeries and CallSeries (time series of it, with
// what a reader notes of them in Series), EventPoint and CallPoint (copies of their content), and the numbers Weight and
// Histogram. Inside, the tree of services, operations and tallies is what a span finds its way through, and an indicator is an
// objective compiled for matching.
//
// Rules:
//   - A span whose trace or span ID is zero is none: OTLP forbids it.
//   - Counts are fixed point, so their sum does not depend on order; whole numbers stay whole. The buckets of a histogram
//     are whole numbers, so fractions are carried to the next span of the series.
//   - A value beyond a limit is counted under Other; what an objective names is never beyond a limit. Totals are exact
//     whatever the limits are.
//   - Counting what was seen before allocates nothing.
package count
