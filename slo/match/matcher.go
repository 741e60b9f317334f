package match

import (
	"regexp"
	"strings"
)

// Matcher is a compiled Text.
type Matcher struct {
	in, notIn     set
	like, notLike *regexp.Regexp // nil for none
}

// Compile returns a Matcher. The patterns must have been parsed by ParseText.
func (t Text) Compile() *Matcher {
	return &Matcher{in: setOf(t.In), notIn: setOf(t.NotIn), like: anyOf(t.Like), notLike: anyOf(t.NotLike)}
}

// anyOf compiles patterns into one.
func anyOf(patterns []string) *regexp.Regexp {
	switch len(patterns) {
	case 0:
		return nil
	case 1:
		return regexp.MustCompile(anchored(patterns[0]))
	default:
		return regexp.MustCompile(anchored("(?:" + strings.Join(patterns, ")|(?:") + ")"))
	}
}

// Match reports whether a text meets the condition. It does not retain the text.
func (m *Matcher) Match(text []byte) bool {
	if m.notIn.has(text) || m.notLike != nil && m.notLike.Match(text) {
		return false
	}
	if m.like == nil {
		return m.in.len == 0 || m.in.has(text)
	}
	return m.in.has(text) || m.like.Match(text)
}

// MatchString reports whether a string meets the condition.
func (m *Matcher) MatchString(text string) bool { return m.Match([]byte(text)) }

// IsCostly reports whether matching runs a regular expression, so that it pays to remember the outcome.
func (m *Matcher) IsCostly() bool { return m.like != nil || m.notLike != nil }

// set is a set of texts. A few are compared, more are hashed.
type set struct {
	few  [][]byte
	many map[string]struct{}
	len  int
}

const fewTexts = 6

func setOf(values []string) set {
	s := set{len: len(values)}
	if len(values) <= fewTexts {
		for _, v := range values {
			s.few = append(s.few, []byte(v))
		}
		return s
	}
	s.many = make(map[string]struct{}, len(values))
	for _, v := range values {
		s.many[v] = struct{}{}
	}
	return s
}

func (s *set) has(text []byte) bool {
	if s.many != nil {
		_, ok := s.many[string(text)]
		return ok
	}
	for _, v := range s.few {
		if string(v) == string(text) {
			return true
		}
	}
	return false
}
