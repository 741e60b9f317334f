package decision

// Trigger is what made a decision due.
type Trigger uint8

// The triggers. Their numbers stand in the journal.
const (
	ByWait Trigger = iota
	ByRoot
	BySize
	ByCount
	ByMemory
	ByShutdown
	ByRevival // what came late made the policies sample what they had not sampled
	ByLink    // a trace that is linked with this one is kept
	ByIngest  // whatever spans may follow, the decision is certain
	Triggers  // how many there are
)

var triggers = [Triggers]struct{ metric, reason string }{
	ByWait:     {"decision_wait", "decision_wait was over"},
	ByRoot:     {"root_received", "its root was in and no span had come for decision_wait_after_root_received"},
	BySize:     {"size", "it had twice maximum_trace_size_bytes"},
	ByCount:    {"num_traces", "more than num_traces waited, and of those with the least to lose it was the oldest"},
	ByMemory:   {"memory", "memory_budget or disk_budget was nearly used up, and of those with the least to lose it was the oldest"},
	ByShutdown: {"shutdown", "the processor was shut down"},
	ByRevival:  {"revived", "what came late, within revive_window, made a policy sample it"},
	ByLink:     {"linked", "a trace that is linked with it is kept"},
	ByIngest:   {"ingest", "whatever spans might have followed, the decision was certain (sampling_strategy span-ingest)"},
}

// String returns the trigger as it stands in metrics.
func (t Trigger) String() string { return triggers[t].metric }

// Reason is the trigger as a sentence without a subject, for people.
func (t Trigger) Reason() string { return triggers[t].reason }

// Early reports whether the decision did not wait as long as it was to.
func (t Trigger) Early() bool { return t == BySize || t == ByCount || t == ByMemory || t == ByShutdown }
