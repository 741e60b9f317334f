package unmatched

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/match"
)

// other stands for names over a limit, which may be any.
const other = "__other__"

// find returns a sentence for each condition of an indicator that no span met. total is how many events there were in the hour.
func find(in slo.Indicator, found traffic, total uint64) (sentences []string) {
	c := in.Spans.Condition()
	ofService := found.where(match.Condition{Service: c.Service})
	if len(ofService) == 0 {
		return misspelled(c.Service, found)
	}
	whose := subject(ofService.names(func(s span) string { return s.service }))
	sentences = operations("", c.Operation, ofService, whose)
	for _, list := range []struct {
		key        string
		conditions []match.Condition
	}{{"bad", in.Bad}, {"exclude", in.Exclude}} {
		for _, part := range list.conditions {
			if there := ofService.where(match.Condition{Service: part.Service}); len(there) > 0 {
				whose := subject(there.names(func(s span) string { return s.service }))
				sentences = append(sentences, operations(list.key+": ", part.Operation, there, whose)...)
			}
		}
	}
	ofKind := ofService.where(match.Condition{Kind: c.Kind})
	switch {
	case len(ofKind) == 0:
		sentences = append(sentences, fmt.Sprintf("No span of %s had a kind such that %s in the last hour; they were %s.",
			whose, c.Kind.Words("the kind"), listed(ofService.names(func(s span) string { return s.kind }))))
	case total > 0 || len(sentences) > 0:
	case len(ofKind.where(match.Condition{Operation: c.Operation})) == 0:
		sentences = append(sentences, fmt.Sprintf("No span of %s met the conditions over kind and operation together in the last hour.", whose))
	default:
		rest := match.Condition{Version: c.Version, Attributes: c.Attributes}
		if words := rest.Words(); words != "" {
			sentences = append(sentences, fmt.Sprintf("None of the spans of %s in the last hour that have the kind and the operation met the rest: %s.", whose, words))
		} else if in.Exclude != nil {
			sentences = append(sentences, fmt.Sprintf("All spans of %s in the last hour that have the kind and the operation were excluded.", whose))
		}
	}
	return sentences
}

// where returns the spans that meet conditions over service, operation and kind. A name over a limit may meet any.
func (t traffic) where(c match.Condition) traffic {
	service, operation, kind := compile(c.Service), compile(c.Operation), compile(c.Kind)
	out := traffic{}
	for s, n := range t {
		if meets(service, s.service) && meets(operation, s.operation) && kind.MatchString(s.kind) {
			out[s] = n
		}
	}
	return out
}

func compile(t *match.Text) *match.Matcher {
	if t == nil {
		t = new(match.Text)
	}
	return t.Compile()
}

func meets(m *match.Matcher, name string) bool { return name == other || m.MatchString(name) }

// names returns names of the spans, those of the most spans first.
func (t traffic) names(name func(span) string) []string {
	sums := map[string]float64{}
	for s, n := range t {
		sums[name(s)] += n
	}
	return slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(cmp.Compare(sums[b], sums[a]), cmp.Compare(a, b))
	})
}

// operations returns a sentence for each name and pattern of a condition that no operation has.
func operations(key string, t *match.Text, found traffic, whose string) (sentences []string) {
	if t == nil {
		return nil
	}
	names := found.names(func(s span) string { return s.operation })
	say := func(condition, advice string) {
		sentences = append(sentences, fmt.Sprintf("%sNo span of %s %s in the last hour; %s.", key, whose, condition, advice))
	}
	for _, name := range t.In { // which has a place of its own
		if !slices.Contains(names, name) {
			say("had the operation "+name, seen(name, names))
		}
	}
	if slices.Contains(names, other) {
		return sentences
	}
	for _, pattern := range t.Like {
		if !slices.ContainsFunc(names, match.Text{Like: []string{pattern}}.Compile().MatchString) {
			say("had an operation that matches "+pattern, seen(pattern, names))
		}
	}
	return sentences
}

// misspelled returns a sentence for each service without spans that has nearly the name of one with spans.
func misspelled(t *match.Text, found traffic) (sentences []string) {
	if t == nil {
		return nil
	}
	services := found.names(func(s span) string { return s.service })
	for _, name := range t.In {
		if near := nearest(name, services); len(near) > 0 {
			sentences = append(sentences, fmt.Sprintf("There was no span of the service %s in the last hour; there were spans of %s.", name, listed(near)))
		}
	}
	return sentences
}

// seen returns the names that were meant, if some are near, or else the most frequent ones.
func seen(name string, names []string) string {
	if near := nearest(name, names); len(near) > 0 {
		return "it had " + listed(near)
	}
	return "it had " + listed(names)
}

// maxNamed is how many names a sentence has.
const maxNamed = 3

func listed(names []string) string {
	if rest := len(names) - maxNamed; rest > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), rest)
	}
	return strings.Join(names, ", ")
}

func subject(services []string) string {
	if len(services) == 1 {
		return services[0]
	}
	return fmt.Sprintf("the %d selected services", len(services))
}

// nearest returns names that differ from one by at most a quarter of its letters, nearest first.
func nearest(name string, names []string) []string {
	limit := max(1, min(len(name)/4, 4))
	distances := map[string]int{}
	for _, candidate := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate), limit); d <= limit {
			distances[candidate] = d
		}
	}
	return slices.SortedFunc(maps.Keys(distances), func(a, b string) int {
		return cmp.Or(cmp.Compare(distances[a], distances[b]), cmp.Compare(a, b))
	})
}

// distance returns how many letters to insert, remove or replace to get from one text to another, or more than limit.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit || len(a) > 256 || len(b) > 256 {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := min(row[j], row[j+1]) + 1
			if a[i] == b[j] {
				d = diagonal
			} else {
				d = min(d, diagonal+1)
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
