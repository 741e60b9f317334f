package tailsampling

import (
	"slices"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/randomness"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Notices are logged at the start for users of a configuration for contrib's processor: the keys without effect here,
// and what to use instead.
func (cfg *Config) Notices() []string {
	var notices []string
	if cfg.BlockOnOverflow {
		notices = append(notices, "block_on_overflow has no meaning here: no trace is evicted before it is decided, and over "+
			"memory_budget or disk_budget spans are refused with an error that makes clients retry; remove the key")
	}
	if cfg.ExpectedNewTracesPerSec != 0 {
		notices = append(notices, "expected_new_traces_per_sec has no meaning here: the index grows with the traces, within "+
			"memory_budget; remove the key")
	}
	if cfg.TailStorage != "" {
		notices = append(notices, "tail_storage has no meaning here: storage, directory and disk_budget say where spans are "+
			"buffered; remove the key, and the extension if nothing else uses it")
	}
	if cfg.SampleOnFirstMatch && len(cfg.Rules) > 0 {
		notices = append(notices, "sample_on_first_match has no meaning with rules: the first that matches decides, and no other takes account "+
			"of the trace; remove the key")
	}
	if cfg.LinkedTraces.Enabled && cfg.ReviveWindow == 0 {
		notices = append(notices, "linked_traces without revive_window keeps linked traces only while they wait for their own "+
			"decision: set revive_window to how far apart the decisions about linked traces may be")
	}
	return notices
}

// Warnings returns doubts about a valid configuration, to be logged at the start.
func (cfg *Config) Warnings() []string {
	_, compiled, err := compileFirst(cfg, version.NewNames(), zap.NewNop())
	if err != nil {
		return nil // it is not valid
	}
	return slices.Concat(cfg.Notices(), compiled.Warnings())
}

// watchIDs returns a function, to be called a few times a second, that logs trace IDs without randomness. With compat contrib
// these do no harm, as it hashes trace IDs.
func watchIDs(b *buffer.Buffer, compat string, logger *zap.Logger) func() {
	if compat == compatContrib {
		return func() {}
	}
	watch := randomness.Watch{Logger: logger}
	return func() { watch.Judge(countedIDs(b)) }
}

// countedIDs adds up the shards' counts of trace IDs. It resets them when the sum is full.
func countedIDs(b *buffer.Buffer) *randomness.Counts {
	var sum randomness.Counts
	for m := range b.Locked() {
		sum.Add(&m.Tally().IDs)
	}
	if sum.Full() {
		for m := range b.Locked() {
			m.Tally().IDs = randomness.Counts{}
		}
	}
	return &sum
}
