//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package tailsampling is the processor tail_sampling: it buffers spans as the bytes they arrived as, decides per trace
// which to keep, and passes the kept traces on whole.
//
// Its types are Config, Sampler (the component, which web finds through package host), Replay (the same for recorded
// traces, without waiting) and the answers of the API (api.go). The packages below internal/ do the work; each uses only
// those after it:
//
//	status      the API, metrics and /readyz
//	delivery    kept traces leave, to each destination at its own pace; its doc.go has the states
//	budget      makes room: the marks of the budgets, and their effects
//	recovery    reads the span log back at the start
//	refuse      refusals of spans, as errors that clients understand
//	fsync       files are flushed to the disk
//	buffer      all shards, the visits to them, and the decider
//	shard       the state machine of a shard's traces; its doc.go has the states
//	intake      a request, sorted by shard
//	explain     explanations of the latest decisions
//	tally       counts
//	randomness  detects trace IDs that are not random
//	conffile    compares configuration files: changes since the start, and waits that a section inherits
//	decision    decisions, and the memory of decisions for late spans
//	version     versions of the policies, and the numbers of their names
//	linked      links between traces
//	index       entries by trace ID, and lists of them
//
// # A span's way
//
// ConsumeTraces sorts a request's spans by shard and, in one visit to each, appends them to the shard's log and answers
// the policies' questions about them (package policy). The decider, one goroutine with one timer, decides what is due.
// A dropped trace is released at once. A kept one is appended to the shard's outbox, in which each destination has a
// position of its own. A sender of the destination copies the trace into a wire.Kept, writes the decision on it, and calls the next
// component, with the Kept in the context, or decoded. When every destination has received it, its spans are released.
//
// A decision is remembered longer than the spans. Late spans follow it: those of a kept trace gather for a moment and go
// the same way out, as a part of their own. A late error is handled in shard.Shard.Add and Review: where the trace was not
// sampled and is revivable, the policies are asked again (reconsider), and may revive it.
//
// The policies can be changed while spans come in (reload.go, swap.go): a trace goes by the version that was the current
// one in its shard when its first span came.
//
// With storage disk the shards' logs are files, and a journal records the fate of each part of a trace. A full disk is an
// error of the reservation before a request is appended (budget.Reserve), which refuse turns into an answer.
//
// # Rules
//
//   - Lock order: lifecycle.gate, Budget.relief, policies.reading, policies.swapping, then one shard's mutex, then that of a
//     set of policies; never two shards. The next component is called with no lock held.
//   - A request is refused as a whole, before anything of it is appended.
//   - Spans that leave the log are counted unless a destination accepted them or a decision dropped them.
//   - Backlogs stay within delivery_budget: over it destinations give up their oldest traces, or spans are refused.
//   - The order of spans, their batching and the number of shards do not matter: the kept part of a trace is a function
//     of the set of its spans, and a delivered trace is sorted by start, span ID and bytes.
package tailsampling
