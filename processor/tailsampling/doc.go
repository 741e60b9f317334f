//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package tailsampling is the processor tail_sampling: it buffers spans as the bytes they arrived as, decides per trace
// which to keep, and passes the kept traces on whole.
//
// Its types are Config, Status (what the API shows) and Sampler (what web finds through package host). Inside, a shard
// is a mutex, a span log and an index over it; an entry is what the index knows of a trace; a batch is kept traces on
// their way out.
//
// # A span's way
//
// ConsumeTraces sorts a request's spans by shard and, in one visit to each, appends them to the shard's log and answers
// the policies' questions about them (package policy). The decider, one goroutine with one timer, decides what is due.
// A dropped trace is released at once. A kept one moves to the shard's list of traces that are ready, from which an
// emitter copies it, decodes it, and calls the next component; it leaves the log when that accepted it. After a
// retryable error it goes back to the head of the list and the emitter backs off: the log is the retry queue.
//
// A decision is remembered longer than the spans. Late spans follow it: those of a kept trace gather for lateWait and
// go the same way out, as a part of their own.
//
// A trace that was not sampled can stay for a while (hold), in the index and with its bits, so that late spans make the
// policies sample it after all (review, revive). A trace that is kept takes those with it that it is linked with: shards
// remember the links of their traces (links), and tell each other by notices, which unlock passes on (pass).
//
// # Versions
//
// The policies can be changed while spans come in (swap). A trace goes by the version that was the current one in its
// shard when its first span came: an entry has the number of its generation, which is a version with the bits of its
// traces, and a shard lets go of one with the last trace of it. names gives every policy that there ever was a number,
// which is what entries, remembered decisions and the journal have.
//
// # On disk
//
// With storage disk the shards' logs are files, and a journal has what became of each part of a trace. At the start a
// reader per shard reads both back (readBack), while spans are refused. The shrinker, another goroutine, makes full
// segments leave memory when the budget asks for it.
//
// # Rules
//
//   - Lock order: sampler.gate, sampler.relief, sampler.reloading, sampler.swapping, then one shard's mutex, then that of a
//     set of policies; never two shards. The next component is called with no lock held.
//   - A request is refused as a whole, before anything of it is appended.
//   - What leaves the log without having been accepted by the next component or dropped by a decision is counted.
//   - The order of spans, their batching and the number of shards do not matter: what is kept of a trace is a function
//     of the set of its spans, and an emitted trace is sorted by start, span ID and bytes.
package tailsampling
