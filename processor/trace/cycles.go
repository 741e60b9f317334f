package trace

// cutCycles makes a root of the earliest-starting span of each cycle. Each span has at most one parent, so a walk up
// from any span either ends at a root or runs into itself.
func (b *builder) cutCycles() {
	const unseen = 0
	seen := make([]int, len(b.spans)) // the walk that saw the span, from 1
	for i := range b.spans {
		walk, at := i+1, i
		for at >= 0 && seen[at] == unseen {
			seen[at] = walk
			at = b.spans[at].Parent
		}
		if at < 0 || seen[at] != walk {
			continue
		}
		cut := at
		for j := b.spans[at].Parent; j != at; j = b.spans[j].Parent {
			if b.startsBefore(j, cut) {
				cut = j
			}
		}
		b.spans[cut].Parent = -1
		b.spans[cut].Flags |= FlagCycle
	}
}

// startsBefore compares by canonical order, but a span whose start is not its own starts before none.
func (b *builder) startsBefore(i, j int) bool {
	iBad, jBad := b.spans[i].Flags&badStart != 0, b.spans[j].Flags&badStart != 0
	if iBad != jBad {
		return jBad
	}
	return i < j
}
