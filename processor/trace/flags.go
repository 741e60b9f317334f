package trace

import "strings"

// Flags are findings about a span. Their names are those of the API and of the attribute slowburn.span.flags.
type Flags uint16

// The findings.
const (
	// FlagOrphan: its parent is missing.
	FlagOrphan Flags = 1 << iota
	// FlagDuplicate: identical copies of it arrived, and were left out.
	FlagDuplicate
	// FlagMerged: copies with its ID, resource and kind but other content were merged into it.
	FlagMerged
	// FlagSharedID: the other end of its call has the same ID, as in Zipkin.
	FlagSharedID
	// FlagOwnParent: it names itself as its parent.
	FlagOwnParent
	// FlagCycle: its ancestors lead back to it; the edge into it was cut.
	FlagCycle
	// FlagUnfinished: it has no end.
	FlagUnfinished
	// FlagInverted: it ends before it starts.
	FlagInverted
	// FlagNoStart: its start is 0, so it takes its parent's.
	FlagNoStart
	// FlagFarFuture: its start is far later than the trace, so it takes its parent's.
	FlagFarFuture
	// FlagLate: it arrived after its trace was decided.
	FlagLate
	// FlagResidual: after its clock was corrected it still started before its parent, and was moved on its own.
	FlagResidual
	// FlagLinkSelf: it links to itself or to an ancestor.
	FlagLinkSelf
)

// OwnStart reports whether the span's start is its own: neither missing nor garbage.
func (f Flags) OwnStart() bool { return f&(FlagNoStart|FlagFarFuture) == 0 }

var flagNames = [...]string{
	"orphan", "duplicate", "merged", "shared_id", "own_parent", "cycle", "unfinished", "inverted",
	"no_start", "far_future", "late", "residual", "link_to_self_or_ancestor",
}

// Names returns the flags' names, in a fixed order; nil without flags.
func (f Flags) Names() []string {
	var names []string
	for i, name := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func (f Flags) String() string { return strings.Join(f.Names(), ",") }
