// Package status reports what the sampler has done and what it holds, to the API, metrics and /readyz.
//
// Its types are View (the parts that are read), Metrics (the instruments) and what the API shows: Status, Explanation, Cost,
// ShadowStatus and Destinations. A View may be used concurrently.
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

// View is the parts of a sampler that are read.
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
	// Draining reports whether the sampler is taken out of service; nil never.
	Draining func() bool
	// Syncer flushes files to the disk; nil where the system does, and until recovery is complete.
	Syncer atomic.Pointer[fsync.Syncer]

	Appended, Invalid atomic.Int64           // spans that were taken, and spans without a trace ID among these
	Reloads           [Outcomes]atomic.Int64 // of the policies
}

// Outcome is what became of a reload of the policies.
type Outcome uint8

// The outcomes.
const (
	ReloadChanged Outcome = iota
	ReloadUnchanged
	ReloadFailed
	Outcomes // how many there are
)

// String returns the outcome as it stands in metrics.
func (o Outcome) String() string {
	return [Outcomes]string{"changed", "unchanged", "failed"}[o]
}
