package judge

import (
	"encoding/json"
	"slices"

	"github.com/slowburn/slowburn/slo/match"
)

// source is where the text of a condition comes from.
type source uint8

const (
	fromAttribute source = iota // of the span, or else of its resource
	fromService
	fromVersion
	fromOperation
	fromErrorType
	fromRPC
)

// condition is a compiled Text over a source.
type condition struct {
	source  source
	key     int // index in Rules.keys, of an attribute
	id      string
	matcher *match.Matcher
	absent  bool // the condition is met where there is no text
}

// clause is a compiled Condition.
type clause struct {
	kinds, statuses uint8
	http            *match.Bitmap // nil for any
	min, max        uint64        // nanoseconds
	conditions      []int
	cause           Cause
}

// Rules are compiled conditions.
type Rules struct {
	keys       []string
	conditions []condition
	lists      [][]clause
	ids        []string // of the lists
}

// NoList is the list of no conditions, which no span meets.
const NoList = -1

// Service adds a condition over the name of the service and returns its number. So do the methods below.
func (r *Rules) Service(t match.Text) int { return r.add(fromService, "", t) }

// Version adds a condition over the version of the service, empty without one.
func (r *Rules) Version(t match.Text) int { return r.add(fromVersion, "", t) }

// Operation adds a condition over the span's name.
func (r *Rules) Operation(t match.Text) int { return r.add(fromOperation, "", t) }

// Attribute adds a condition over an attribute.
func (r *Rules) Attribute(key string, t match.Text) int { return r.add(fromAttribute, key, t) }

func (r *Rules) add(from source, key string, t match.Text) int {
	k := -1
	if from == fromAttribute {
		if k = slices.Index(r.keys, key); k < 0 {
			k = len(r.keys)
			r.keys = append(r.keys, key)
		}
	}
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // texts always marshal
	}
	c := condition{source: from, key: k, id: string(b), matcher: t.Compile(), absent: t.Absent()}
	i := slices.IndexFunc(r.conditions, func(o condition) bool { return o.source == c.source && o.key == c.key && o.id == c.id })
	if i < 0 {
		i = len(r.conditions)
		r.conditions = append(r.conditions, c)
	}
	return i
}

// List adds a list of conditions and returns its number, NoList for none.
func (r *Rules) List(conditions []match.Condition) int {
	if len(conditions) == 0 {
		return NoList
	}
	id := ""
	for _, c := range conditions {
		id += c.Key() + "\n"
	}
	if i := slices.Index(r.ids, id); i >= 0 {
		return i
	}
	var list []clause
	for rank := range ranks {
		for _, c := range conditions {
			if compiled := r.clause(c); compiled.rank() == rank {
				list = append(list, compiled)
			}
		}
	}
	r.lists, r.ids = append(r.lists, list), append(r.ids, id)
	return len(r.lists) - 1
}

func (r *Rules) clause(c match.Condition) clause {
	out := clause{kinds: match.Every(match.Kinds, c.Kind), statuses: match.Every(match.Statuses, c.Status), cause: causeOf(c)}
	if c.HTTP != nil {
		out.http = c.HTTP.Bitmap()
	}
	if c.Duration != nil {
		out.min, out.max = uint64(c.Duration.Min), uint64(c.Duration.Max)
	}
	for _, t := range []struct {
		from source
		t    *match.Text
	}{{fromRPC, c.RPC}, {fromErrorType, c.ErrorType}, {fromVersion, c.Version}, {fromService, c.Service}, {fromOperation, c.Operation}} {
		if t.t != nil {
			out.conditions = append(out.conditions, r.add(t.from, "", *t.t))
		}
	}
	for key, t := range c.Attributes {
		out.conditions = append(out.conditions, r.add(fromAttribute, key, t))
	}
	return out
}

// ranks is the number of ranks.
const ranks = 3

// rank orders the clauses of a list: the span's own status first, which is cheap and whose reason tells most, and a mere duration last.
func (c *clause) rank() int {
	switch {
	case c.cause == CauseDuration:
		return 2
	case c.http != nil || len(c.conditions) > 0:
		return 1
	default:
		return 0
	}
}

// Size returns how many keys, conditions and lists the rules have.
func (j *Judge) Size() (keys, conditions, lists int) {
	return len(j.rules.keys), len(j.rules.conditions), len(j.rules.lists)
}

// Cause is the part of a condition that says why a span that meets it is bad.
type Cause uint8

// The causes.
const (
	// CauseFailure is everything else: the span's own word for its failure is the best.
	CauseFailure Cause = iota
	CauseHTTP
	CauseRPC
	CauseDuration

	NumCauses
)

// causeOf returns the most telling part of a condition. An error's type is the span's own word for its failure.
func causeOf(c match.Condition) Cause {
	switch {
	case c.ErrorType != nil && !c.ErrorType.Absent():
		return CauseFailure
	case c.RPC != nil && !c.RPC.Absent():
		return CauseRPC
	case c.HTTP != nil && !c.HTTP.Absent():
		return CauseHTTP
	case c.Duration != nil && c.Duration.Min > 0:
		return CauseDuration
	default:
		return CauseFailure
	}
}
