// Package tally counts the sampler's decisions and contents.
//
// Its types are Stats (a shard's counts: what happened since the start, and what is there now), ByPolicy (the amounts of
// a policy), Shadow (what the shadow of the policies would have done), Ages (durations to be recorded), Services (spans
// and bytes by service) and Stages (the time that parts of the work took). Stats, Shadow and Ages are guarded by a
// shard's mutex, so that nothing is recorded per span, and are added up on demand; Services and Stages are safe for
// concurrent use.
package tally

// Amount counts traces, spans and bytes.
type Amount struct {
	Traces int64
	Spans  int64
	Bytes  int64 // of span bodies
}

func (a *Amount) add(o Amount) {
	a.Traces += o.Traces
	a.Spans += o.Spans
	a.Bytes += o.Bytes
}
