package judge

import (
	"math/rand/v2"

	"github.com/zeebo/xxh3"

	"github.com/slowburn/slowburn/internal/wire"
)

// Judge evaluates conditions on one span after the other.
type Judge struct {
	rules *Rules
	span  Span
	facts facts
	of    Resource

	met        []state // by condition, for the span
	lasting    []state // by condition, for a text of the resource
	ofSpan     []finding
	ofResource []finding // by key
	verdicts   []int16   // by list: the clause that the span meets plus one, noClause for none, 0 for unknown

	seed    uint64
	caches  []*cache // by condition, nil where there is nothing to remember
	scratch [32]byte
}

// Resource is the resource of the spans that follow.
type Resource struct {
	// Body is the body of a ResourceSpans. Service and Version are texts of it.
	Body, Service, Version []byte
}

// Span is the span to judge. The bytes must not change until the next call.
type Span struct {
	Body, Name   []byte
	Kind, Status uint8
	Duration     uint64 // nanoseconds
}

// finding is the remembered look-up of a key.
type finding struct {
	value wire.Value
	state state
}

type state uint8

const (
	stateUnknown state = iota
	stateNo
	stateYes
)

func stateOf(ok bool) state {
	if ok {
		return stateYes
	}
	return stateNo
}

const noClause = -1

// cacheSize is a power of two.
const cacheSize = 128

// cache remembers which texts match, by their hash under a seed that nobody knows: no two texts share one.
type cache [cacheSize]struct {
	hash xxh3.Uint128
	state
}

// New returns a judge by the rules.
func New(rules *Rules) *Judge {
	j := &Judge{
		rules: rules, seed: rand.Uint64(),
		met: make([]state, len(rules.conditions)), lasting: make([]state, len(rules.conditions)),
		ofSpan: make([]finding, len(rules.keys)), ofResource: make([]finding, len(rules.keys)),
		verdicts: make([]int16, len(rules.lists)), caches: make([]*cache, len(rules.conditions)),
	}
	for i, c := range rules.conditions {
		if c.matcher.IsCostly() {
			j.caches[i] = new(cache)
		}
	}
	return j
}

// SetResource moves on to the next resource.
func (j *Judge) SetResource(r Resource) {
	j.of = r
	clear(j.lasting)
	clear(j.ofResource)
}

// SetSpan moves on to the next span, of the same resource.
func (j *Judge) SetSpan(s Span) {
	j.span = s
	j.facts.walked = false
	clear(j.met)
	clear(j.ofSpan)
	clear(j.verdicts)
}

// Release drops all references to spans and resources.
func (j *Judge) Release() {
	j.SetSpan(Span{})
	j.SetResource(Resource{})
	j.facts = facts{}
}

// Holds reports whether the judge refers to a span or a resource.
func (j *Judge) Holds() bool { return j.span.Body != nil || j.of.Body != nil }

// First returns the cause of the first condition of a list that the span meets, and false if it meets none.
func (j *Judge) First(list int) (Cause, bool) {
	if list == NoList {
		return 0, false
	}
	verdict := j.verdicts[list]
	if verdict == 0 {
		verdict = j.judge(list)
	}
	if verdict == noClause {
		return 0, false
	}
	return j.rules.lists[list][verdict-1].cause, true
}

// judge finds the first clause of a list that the span meets.
func (j *Judge) judge(list int) int16 {
	verdict := int16(noClause)
	clauses := j.rules.lists[list]
	for i := range clauses {
		if j.meets(&clauses[i]) {
			verdict = int16(i + 1)
			break
		}
	}
	j.verdicts[list] = verdict
	return verdict
}

// meets reports whether the span meets all parts of a clause, the cheap ones first.
func (j *Judge) meets(c *clause) bool {
	if c.kinds&(1<<j.span.Kind) == 0 || c.statuses&(1<<j.span.Status) == 0 ||
		j.span.Duration < c.min || c.max > 0 && j.span.Duration > c.max {
		return false
	}
	if c.http != nil && !c.http.Has(j.HTTP()) {
		return false
	}
	for _, condition := range c.conditions {
		if !j.Meets(condition) {
			return false
		}
	}
	return true
}

// Meets reports whether the span meets a condition.
func (j *Judge) Meets(i int) bool {
	if j.met[i] == stateUnknown {
		j.met[i] = j.evaluate(i)
	}
	return j.met[i] == stateYes
}

func (j *Judge) evaluate(i int) state {
	c := &j.rules.conditions[i]
	switch c.source {
	case fromService:
		return j.forResource(i, j.of.Service)
	case fromVersion:
		return j.forResource(i, j.of.Version)
	case fromOperation:
		return j.matches(i, j.span.Name)
	case fromRPC:
		return j.matchesFact(i, j.RPC())
	case fromErrorType:
		return j.matchesFact(i, j.errorText())
	}
	f, ofResource := j.find(c.key)
	switch {
	case f.state != stateYes:
		return stateOf(c.absent)
	case ofResource && j.lasting[i] != stateUnknown:
		return j.lasting[i]
	case ofResource:
		return j.forResource(i, j.text(f.value))
	default:
		return j.matches(i, j.text(f.value))
	}
}

// forResource is matches for a text of the resource: the outcome lasts as long as that.
func (j *Judge) forResource(i int, text []byte) state {
	if j.lasting[i] == stateUnknown {
		j.lasting[i] = j.matches(i, text)
	}
	return j.lasting[i]
}

// matchesFact is matches for a text that may be missing.
func (j *Judge) matchesFact(i int, text []byte) state {
	if len(text) == 0 {
		return stateOf(j.rules.conditions[i].absent)
	}
	return j.matches(i, text)
}

// matches compares a text with a condition, or remembers the outcome.
func (j *Judge) matches(i int, text []byte) state {
	c := j.caches[i]
	if c == nil {
		return stateOf(j.rules.conditions[i].matcher.Match(text))
	}
	hash := xxh3.Hash128Seed(text, j.seed)
	e := &c[hash.Lo%cacheSize]
	if e.state == stateUnknown || e.hash != hash {
		e.hash, e.state = hash, stateOf(j.rules.conditions[i].matcher.Match(text))
	}
	return e.state
}

// find looks a key up in the span, then in the resource.
func (j *Judge) find(key int) (f *finding, ofResource bool) {
	f = &j.ofSpan[key]
	if f.state == stateUnknown {
		v, ok := wire.SpanAttribute(j.span.Body, j.rules.keys[key])
		*f = finding{v, stateOf(ok)}
	}
	if f.state == stateYes {
		return f, false
	}
	f = &j.ofResource[key]
	if f.state == stateUnknown {
		v, ok := wire.ResourceAttribute(j.of.Body, j.rules.keys[key])
		*f = finding{v, stateOf(ok)}
	}
	return f, true
}
