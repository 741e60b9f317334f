// Package status reports the sampler's decisions and contents to the API, metrics and /readyz.
//
// Its types are View (the parts that are read), Metrics (the instruments) and the answers of the API: Status, Explanation,
// Cost, ShadowStatus and Destinations. A View may be used concurrently.
package status

import (
	"sync/atomic"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/budget"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/fsync"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/recovery"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/refuse"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// View reads the parts of a sampler.
type View struct {
	Buffer   *buffer.Buffer
	Versions *version.Versions
	Budget   *budget.Budget
	Backlogs *budget.Backlogs
	Output   *delivery.Output
	Refusals *refuse.Refusals
	Services *tally.Services
	Stages   *tally.Stages
	Store    *recovery.Store // nil in memory
	// Draining reports whether the sampler is being drained; nil means never.
	Draining func() bool
	// Syncer flushes files to the disk; nil if the system does, and during recovery.
	Syncer atomic.Pointer[fsync.Syncer]

	Appended, Invalid atomic.Int64           // accepted spans, and those of them without a trace ID
	Reloads           [Outcomes]atomic.Int64 // of the policies
}

// Outcome is the outcome of a reload of the policies.
type Outcome uint8

// The outcomes.
const (
	ReloadChanged Outcome = iota
	ReloadUnchanged
	ReloadFailed
	Outcomes // how many there are
)

// String returns the outcome's name in metrics.
func (o Outcome) String() string {
	return [Outcomes]string{"changed", "unchanged", "failed"}[o]
}
