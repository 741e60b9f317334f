package trace

import "github.com/slowburn/slowburn/processor/trace/skeleton"

// Names of package skeleton under which the sampling policies know it.
type (
	Skeleton     = skeleton.Skeleton
	SkeletonSpan = skeleton.Span
	Evidence     = skeleton.Evidence
	Reason       = skeleton.Reason
	FailureMode  = skeleton.FailureMode
	FailureModes = skeleton.FailureModes
)

// Values of package skeleton that the sampling policies use.
const (
	ReasonOther        = skeleton.ReasonOther
	ReasonNotConnected = skeleton.ReasonNotConnected
	ReasonGaveUp       = skeleton.ReasonGaveUp
	FailureUnobserved  = skeleton.FailureUnobserved
)

// AllFailureModes lists the failure modes.
func AllFailureModes() []FailureMode { return skeleton.AllFailureModes() }
