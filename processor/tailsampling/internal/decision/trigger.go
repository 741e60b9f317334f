package decision

// Trigger is what made a decision due.
type Trigger uint8

// The triggers. The journal stores these numbers.
const (
	ByWait Trigger = iota
	ByRoot
	BySize
	ByCount
	ByMemory
	ByShutdown
	ByRevival   // late spans made the policies sample a trace that they had not sampled
	ByLink      // a linked trace is kept
	ByIngest    // no further span can change the decision
	ByObjective // a bad event of an objective is in it
	Triggers    // how many there are
)

var triggers = [Triggers]struct{ metric, reason string }{
	ByWait:      {"decision_wait", "decision_wait was over"},
	ByRoot:      {"root_received", "its root was in and no span had come for decision_wait_after_root_received"},
	BySize:      {"size", "it had twice maximum_trace_size_bytes"},
	ByCount:     {"num_traces", "more than num_traces waited, and it was the oldest of the least interesting traces"},
	ByMemory:    {"memory", "memory_budget or disk_budget was nearly used up, and it was the oldest of the least interesting traces"},
	ByShutdown:  {"shutdown", "the processor was shut down"},
	ByRevival:   {"revived", "late spans, within revive_window, made a policy sample it"},
	ByLink:      {"linked", "a trace that is linked with it is kept"},
	ByIngest:    {"ingest", "whatever spans might have followed, the decision was certain (sampling_strategy span-ingest)"},
	ByObjective: {"objective", "a span of it is a bad event of an objective, and it was not sampled before"},
}

// String returns the trigger's name in metrics.
func (t Trigger) String() string { return triggers[t].metric }

// Reason describes the trigger to people: a sentence without a subject.
func (t Trigger) Reason() string { return triggers[t].reason }

// Early reports whether the decision was made before its time.
func (t Trigger) Early() bool { return t == BySize || t == ByCount || t == ByMemory || t == ByShutdown }
