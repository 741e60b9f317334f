// Package metrics is the receiver `slo_metrics`: it sends what the extension `slo` knows about its objectives to a metrics pipeline, so
// that budgets and burn rates are series of the embedded TSDB, of a remote Prometheus, or of any other backend.
//
// A family is a metric, with its names in OTLP and in Prometheus. A point is one value of a family; pointsOf (families.go) returns
// those of an objective, and slothPoints (sloth.go) the same figures under the names that Sloth records. A series is a point without
// its value, and a sender turns the points of one evaluation into metrics and remembers which series it sent.
//
// Rules:
//   - A sample has the time up to which its objective was evaluated, so an objective that is not evaluated has no new samples.
//   - A series whose value ends (no_data, an alert that resolved, a window without events) is ended by a point without a recorded
//     value, Prometheus' stale marker: nobody takes an old value for the present one.
//   - Times of an objective's samples only increase. A database that catches up is skipped through; nothing is queued.
//   - A pipeline that refuses is tried again, with the then latest values.
//
// There is no lock: one goroutine sends, and failure is an atomic pointer that Probe reads.
//
//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
package metrics
