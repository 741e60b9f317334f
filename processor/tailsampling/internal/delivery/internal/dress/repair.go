package dress

import (
	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/text"
)

// Repairs makes the text of a wire.Kept valid UTF-8: strict backends refuse a request for a single invalid byte. It
// remembers which headers it has checked and repaired, by number.
type Repairs struct {
	resources, scopes []bool
}

// repaired counts the repairs of a trace.
type repaired struct {
	spans   int  // spans with invalid text, or with such a resource or scope
	headers bool // a resource or scope was repaired
}

// Reset clears its memory, for a Kept that is filled again.
func (r *Repairs) Reset() { r.resources, r.scopes = r.resources[:0], r.scopes[:0] }

// spans repairs the text of a trace that is not arranged yet. It marks spans whose own text it repairs, unless silent.
func (r *Repairs) spans(k *wire.Kept, trace int, silent bool) (found repaired) {
	r.headers(k)
	t := &k.Traces[trace]
	for i := t.From; i < t.To; i++ {
		s := &k.Spans[i]
		header := r.resources[s.Resource] || r.scopes[s.Scope]
		own := !text.ValidSpan(s.Body.Of(k.Bytes))
		if own {
			s.Body = replace(k, s.Body, text.AppendValidSpan)
			if !silent {
				k.SetAttribute(i, wire.BoolAttribute(attr.TextRepaired, true))
			}
		}
		found.headers = found.headers || header
		if own || header {
			found.spans++
		}
	}
	return found
}

// headers repairs resources and scopes that were not checked yet.
func (r *Repairs) headers(k *wire.Kept) {
	r.resources = repairNew(k, k.Resources, r.resources, text.ValidResource, text.AppendValidResource)
	r.scopes = repairNew(k, k.Scopes, r.scopes, text.ValidScope, text.AppendValidScope)
}

func repairNew(k *wire.Kept, headers []wire.Range, done []bool, valid func([]byte) bool, repair func(dst, from []byte) []byte) []bool {
	for i := len(done); i < len(headers); i++ {
		bad := !valid(headers[i].Of(k.Bytes))
		if bad {
			headers[i] = replace(k, headers[i], repair)
		}
		done = append(done, bad)
	}
	return done
}

// replace appends the repaired form of a range, and returns its range.
func replace(k *wire.Kept, r wire.Range, repair func(dst, from []byte) []byte) wire.Range {
	from := len(k.Bytes)
	k.Bytes = repair(k.Bytes, r.Of(k.Bytes))
	return wire.Range{Off: uint32(from), End: uint32(len(k.Bytes))}
}
