// Package tally counts what the sampler decides and what it holds.
//
// Its types are Stats (a shard's counts: what happened since the start, and what is there now), ByPolicy (what a policy
// brings), Shadow (what the shadow of the policies would have done), Ages (durations that wait to be recorded), Services
// (spans and bytes by service) and Stages (how long parts of the way took). Stats, Shadow and Ages are guarded by a
// shard's mutex, so that nothing is recorded per span, and are added up when somebody looks; Services and Stages are safe
// for concurrent use.
package tally

// Amount is how much of something there was.
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
