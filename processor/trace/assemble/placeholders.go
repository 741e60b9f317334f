package assemble

import (
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/internal/link"
)

// addPlaceholders adds a synthetic node for each missing parent, above all its children. If the trace has no root and
// misses several parents, a synthetic root without an ID stands above these.
func (b *Batch) addPlaceholders() {
	f := &b.forest
	real := len(f.Nodes)
	roots := 0
	var at map[uint64]int32
	for i := range real {
		n := &f.Nodes[i]
		if n.Flags&trace.FlagOrphan == 0 || f.Parents[i] >= 0 {
			if f.Parents[i] < 0 {
				roots++
			}
			continue
		}
		p, ok := at[n.Parent]
		if !ok {
			p = b.addSynthetic(n.Parent)
			if at == nil {
				at = map[uint64]int32{}
			}
			at[f.Nodes[i].Parent] = p
		}
		f.Parents[i] = p
	}
	if roots > 0 || len(at) < 2 {
		return
	}
	root := b.addSynthetic(0)
	for i := real; i < int(root); i++ {
		f.Parents[i] = root
	}
}

func (b *Batch) addSynthetic(id uint64) int32 {
	b.forest.Nodes = append(b.forest.Nodes, link.Node{ID: id, Of: none})
	b.forest.Parents = append(b.forest.Parents, link.None)
	b.missing++
	return int32(len(b.forest.Nodes) - 1)
}
