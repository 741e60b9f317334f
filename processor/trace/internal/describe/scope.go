package describe

import (
	"strings"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// Scope reads the header of a scope (wire.AppendScopeHeader).
func Scope(header []byte) *trace.Scope {
	s := &trace.Scope{Name: string(wire.ScopeName(header)), Version: string(wire.ScopeVersion(header)), Header: header}
	for key, v := range wire.ScopeAttributes(header) {
		mark(key, v, &s.Policy, &s.Late)
	}
	return s
}

// Marks returns the marks on a span by the sampler, or by another one before it. span is the body of a Span.
func Marks(span []byte) (policy string, late bool) {
	w := wire.WalkAttributes(span)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		if len(key) > 0 && key[0] == markPrefix[0] {
			mark(key, w.Value(), &policy, &late)
		}
	}
	return policy, late
}

const markPrefix = "tailsampling."

func mark(key []byte, v wire.Value, policy *string, late *bool) {
	switch string(key) {
	case attr.Policy:
		if *policy == "" {
			*policy = v.AsString()
		}
	case attr.CachedDecision:
		*late = *late || v.Bool()
	}
}

// Ours reports whether the gateway writes attributes with this key, which are not part of a span's or scope's
// content.
func Ours(key string) bool {
	return strings.HasPrefix(key, markPrefix) || strings.HasPrefix(key, "slowburn.")
}
