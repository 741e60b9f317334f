package web

import (
	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/reads"
)

// slotted is an extension whose queries take slots, which are nil where they run elsewhere.
type slotted interface{ Slots() *gate.Slots }

// newLimits returns the limits of reads. They take the slots that PromQL takes, so that both together leave a processor for spans.
func newLimits(c reads.Config, all *known.Components) (*reads.Limits, error) {
	if p, ok := known.Find[slotted](all); ok && p.Slots() != nil {
		return reads.New(c, p.Slots())
	}
	return reads.New(c, gate.NewSlots(gate.Processors()))
}
