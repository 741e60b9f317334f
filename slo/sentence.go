package slo

import (
	"maps"
	"strings"

	"github.com/slowburn/slowburn/slo/match"
)

// Sentence describes for people which spans the indicator counts, and which of them are bad. It is empty for an indicator that
// counts no spans one by one.
func (in Indicator) Sentence() string {
	var bad string
	switch in.Type {
	case Availability:
		if bad = match.AnyWords(in.Bad); in.Bad == nil {
			bad = match.AnyWords(match.Failed())
		}
	case Latency:
		bad = "it takes longer than " + in.Threshold.String()
		if in.Bad != nil {
			bad += "; or " + match.AnyWords(in.Bad)
		}
	default:
		return ""
	}
	s := in.Spans.words() + " is bad if " + bad + "."
	if in.Exclude != nil {
		s += " It does not count if " + match.AnyWords(in.Exclude) + "."
	}
	return s
}

// words describes the selected spans, as in "A server span of checkout whose version is not 1.9.0".
func (s SpanSelector) words() string {
	out := "A span"
	if s.Kind != "" {
		out = "A " + s.Kind + " span"
		if strings.ContainsAny(s.Kind[:1], "aeiou") {
			out = "An " + s.Kind + " span"
		}
	}
	if s.Service != "" {
		out += " of " + s.Service
	}
	rest := s.Condition()
	if s.Kind != "" {
		rest.Kind = nil
	}
	if s.Service != "" {
		rest.Service = nil
	}
	if words := rest.Words(); words != "" {
		out += " where " + words + ","
	}
	return out
}

// Condition returns all conditions of the selector in one.
func (s SpanSelector) Condition() match.Condition {
	var c match.Condition
	if s.Where != nil {
		c = *s.Where
		c.Attributes = maps.Clone(c.Attributes)
	}
	equal := func(values ...string) *match.Text {
		t := match.Equal(values...)
		return &t
	}
	if s.Service != "" {
		c.Service = equal(s.Service)
	}
	if s.Kind != "" {
		c.Kind = equal(s.Kind)
	}
	if len(s.Operations) > 0 {
		c.Operation = equal(s.Operations...)
	}
	for key, value := range s.Attributes {
		if c.Attributes == nil {
			c.Attributes = map[string]match.Text{}
		}
		c.Attributes[key] = match.Equal(value)
	}
	return c
}
