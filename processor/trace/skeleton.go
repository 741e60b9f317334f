package trace

import "github.com/slowburn/slowburn/processor/trace/skeleton"

// The names of package skeleton under which the sampling policies know it.
type (
	// Skeleton is skeleton.Skeleton.
	Skeleton = skeleton.Skeleton
	// SkeletonSpan is skeleton.Span.
	SkeletonSpan = skeleton.Span
	// Evidence is skeleton.Evidence.
	Evidence = skeleton.Evidence
	// Reason is skeleton.Reason.
	Reason = skeleton.Reason
	// FailureMode is skeleton.FailureMode.
	FailureMode = skeleton.FailureMode
	// FailureModes is skeleton.FailureModes.
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
