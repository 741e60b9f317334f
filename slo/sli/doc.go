// Package sli is the connector `sli`: it counts every accepted span before sampling, and passes it on untouched.
//
// Per service, operation, kind and status it counts calls and keeps an exponential histogram of duration; per objective
// of the `slo` extension it counts total and bad events by operation, version and reason, exactly. A span that was
// sampled upstream counts as its adjusted count, 1/p from its tracestate. The counts leave as OTLP metrics at every
// interval of the wall clock.
//
// Its types: the Collector builds two components for one `sli`, passing (traces to traces: passes spans on and counts
// them) and emitting (traces to metrics), which share a Connector. Package count holds the counts; package keep makes them
// survive, in a place of package place. Package repeats remembers the requests that were taken. The flusher turns
// counts into metrics.
//
// Rules:
//   - A span is counted once, after the next component accepted it and before its request is acknowledged. Its count then
//     survives a crash, in one record with the request's ID: so a repeated request is passed on and counted, or was both before.
//   - A count, and the time of its flush, survive a crash before they are sent to the metrics pipeline. A counter never decreases.
//   - Spans are marshalled and scanned once, whichever door they came by: where the next components read bytes (wire_path,
//     which package wirepath decides), the scanned request is passed on in the context, beside an empty ptrace.Traces.
//     Elsewhere the spans are passed on as they came, because the next component may change them. Bytes that nobody took are passed
//     on again, decoded.
//   - A span whose trace or span ID is zero is not counted, whether it came as bytes or decoded.
//   - A series starts with a zero, so that a reader that takes differences sees its first events.
//   - All series together have a limit (Limits.Series). Over it spans are counted exactly too, under __other__.
//   - Counts are cumulative, so the next flush makes up for one that failed.
//   - While counts cannot be kept, counting goes on in memory, and Probe and Volatile say since when.
//     Probe and Lost report former counts that could not be recovered, for a day.
package sli
