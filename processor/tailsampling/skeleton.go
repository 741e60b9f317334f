package tailsampling

import (
	"iter"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// skeleton reads the spans of the trace that is being decided out of the shard's log, for policies that ask how they hang
// together. There is one in each shard, so that a decision makes nothing.
type skeleton struct {
	shard *shard
	of    *entry
	span  wire.Span
	read  func() iter.Seq[policy.SpanView] // of policy.Trace
}

func (k *skeleton) init(s *shard) {
	k.shard = s
	all := iter.Seq[policy.SpanView](k.spans)
	k.read = func() iter.Seq[policy.SpanView] { return all }
}

// spans yields the trace's spans. What cannot be read is left out: the policies notice that spans are missing and match
// nothing, and should the trace be kept the emitter meets the same error and tells it.
func (k *skeleton) spans(yield func(policy.SpanView) bool) {
	var fault error
	if k.shard.journal != nil {
		defer spanlog.Guard(&fault)()
	}
	for r, err := range k.shard.log.Records(k.of.chain, nil) {
		if err != nil {
			continue
		}
		if k.span, err = wire.ParseSpan(r.Body); err != nil {
			continue
		}
		view := policy.SpanView{Span: &k.span, Bytes: r.Body, Body: r.Body, Resource: r.Resource, Scope: r.Scope}
		if !yield(view) {
			return
		}
	}
}
