package assemble

import "github.com/slowburn/slowburn/processor/trace"

// cutCycles makes a root of the earliest-starting span of each cycle. Each span has at most one parent, so a walk up
// from any span either ends at a root or runs into itself.
func cutCycles(spans []trace.Span) {
	const unseen = 0
	seen := make([]int, len(spans)) // the walk that saw the span, from 1
	for i := range spans {
		walk, at := i+1, i
		for at >= 0 && seen[at] == unseen {
			seen[at] = walk
			at = spans[at].Parent
		}
		if at < 0 || seen[at] != walk {
			continue
		}
		cut := at
		for j := spans[at].Parent; j != at; j = spans[j].Parent {
			if startsBefore(spans, j, cut) {
				cut = j
			}
		}
		spans[cut].Parent = -1
		spans[cut].Flags |= trace.FlagCycle
	}
}

// startsBefore compares by canonical order, but a span whose start is not its own starts before none.
func startsBefore(spans []trace.Span, i, j int) bool {
	iBad, jBad := !spans[i].Flags.OwnStart(), !spans[j].Flags.OwnStart()
	if iBad != jBad {
		return jBad
	}
	return i < j
}
