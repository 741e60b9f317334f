// Package memorylimiter is the processor `memory_limiter`: the Collector's, with its configuration and its metrics, for a
// gateway in which spans travel as bytes.
//
// The Collector's processor counts the spans of a ptrace.Traces, which on the wire path is empty. This one lets the Collector's
// decide (gate), and adds the spans that came as bytes to the Collector's metrics. It tells /readyz that spans are refused
// (host.Prober). Metrics, logs and profiles are the Collector's alone.
//
// The processors of one configuration share one check of the memory, as they do in the Collector, and one announcement. The
// factory's mutex guards what they share; no lock is taken per request.
package memorylimiter
