// Package memorylimiter is the processor `memory_limiter`: the Collector's, with its configuration and its metrics, for a
// gateway in which spans travel as bytes.
//
// The Collector's processor counts the spans of a ptrace.Traces, which on the wire path is empty. This one leaves the decision
// to the Collector's processor (gate), adds spans that travel as bytes to its metrics, and reports to /readyz while spans are
// refused (host.Prober). Metrics, logs and profiles go through the Collector's processor alone.
//
// The processors of one configuration share one check of the memory, as they do in the Collector, and one announcement. The
// factory's mutex guards the shared part; no lock is taken per request.
package memorylimiter
