//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package tailsampling is the processor tail_sampling: it buffers spans as the bytes they arrived as, decides per trace
// which to keep, and passes the kept traces on whole.
//
// Its types are Config, Sampler (the component, which web finds through package host), Replay (the same for recorded
// traces, without waiting) and what the API shows (api.go). The work is done below internal/, each package on top of those
// after it:
//
//	status      what the API, metrics and /readyz show
//	delivery    kept traces leave, to each destination at its own pace; its doc.go has the states
//	budget      room is made: which mark of which budget makes what leave
//	recovery    what is on disk is read back at the start
//	refuse      why spans are refused, as errors that clients understand
//	fsync       files are flushed to the disk
//	buffer      all shards, the visits to them, and the decider
//	shard       the state machine of a shard's traces; its doc.go has the states
//	intake      a request, sorted by shard
//	explain     the latest decisions with all that explains them
//	tally       counts
//	randomness  trace IDs that are not random are noticed
//	conffile    what configuration files say: what changed since the start, and waits that a section inherits
//	decision    what a decision is, and the memory of decisions for late spans
//	version     versions of the policies, and the numbers of their names
//	linked      which traces are linked with which
//	index       entries by trace ID, and lists of them
//
// # A span's way
//
// ConsumeTraces sorts a request's spans by shard and, in one visit to each, appends them to the shard's log and answers
// the policies' questions about them (package policy). The decider, one goroutine with one timer, decides what is due.
// A dropped trace is released at once. A kept one goes to the shard's list of what is kept, in which each destination has a
// place of its own. A sender of the destination copies the trace into a wire.Kept, writes on it what was decided, and calls the next
// component, with the Kept in the context, or decoded. It leaves the log when every destination has it.
//
// A decision is remembered longer than the spans. Late spans follow it: those of a kept trace gather for a moment and go
// the same way out, as a part of their own. A late error is handled in shard.Shard.Add and Review: where the trace was not
// sampled and is revivable, the policies are asked again (reconsider), and may revive it.
//
// The policies can be changed while spans come in (reload.go, swap.go): a trace goes by the version that was the current
// one in its shard when its first span came.
//
// With storage disk the shards' logs are files, and a journal has what became of each part of a trace. A full disk is an
// error of the reservation before a request is appended (budget.Reserve), which refuse turns into an answer.
//
// # Rules
//
//   - Lock order: lifecycle.gate, Budget.relief, policies.reading, policies.swapping, then one shard's mutex, then that of a
//     set of policies; never two shards. The next component is called with no lock held.
//   - A request is refused as a whole, before anything of it is appended.
//   - What leaves the log without having been accepted by a destination or dropped by a decision is counted.
//   - What waits for destinations is within delivery_budget: over it they give up their oldest traces, or spans are refused.
//   - The order of spans, their batching and the number of shards do not matter: what is kept of a trace is a function
//     of the set of its spans, and an emitted trace is sorted by start, span ID and bytes.
package tailsampling
