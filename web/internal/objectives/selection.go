package objectives

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// maxLimit is the largest page.
const maxLimit = 1000

// The orders of a list.
const (
	configured = "configured" // that of the configuration
	byUrgency  = "urgency"
	byName     = "name"
)

// selection is which objectives a list has, and in which order.
type selection struct {
	words                              []string // in lower case, each of which a text of the objective has
	services, labels                   []string // of labels, "name=value"
	states, alerts, severities, urgent []string
	sort                               string
	limit                              int
	after                              *cursor // nil for the first page
}

// cursor is the place after which a page begins.
type cursor struct {
	Sort string `json:"s"`
	Key  key    `json:"k"`
}

// selectionParams are the parameters of a list, as openapi.yaml has them.
var selectionParams = []string{"q", "service", "label", "state", "alert", "severity", "urgency", "sort", "limit", "cursor"}

// parseSelection reads the parameters of a list. Without limit a page has limit objectives.
func parseSelection(values url.Values, sort string, limit int) (selection, error) {
	p := rest.Params{Values: values}
	p.Only(selectionParams...)
	s := selection{
		words: strings.Fields(strings.ToLower(values.Get("q"))), services: values["service"], labels: values["label"],
		states:     oneOf(&p, "state", "ok", "no_data", "error"),
		alerts:     oneOf(&p, "alert", "inactive", "pending", "firing", "resolved"),
		severities: oneOf(&p, "severity", "page", "ticket"),
		urgent:     oneOf(&p, "urgency", urgencies[:]...),
		sort:       sort,
		limit:      p.Integer("limit", limit, 1, maxLimit),
	}
	for _, label := range s.labels {
		if name, _, ok := strings.Cut(label, "="); !ok || name == "" {
			p.Fail("label", label, "a label and its value, such as team=shop")
		}
	}
	if asked := oneOf(&p, "sort", configured, byUrgency, byName); len(asked) > 0 {
		s.sort = asked[0]
	}
	if text := values.Get("cursor"); text != "" {
		s.after = parseCursor(text)
		if s.after == nil || s.after.Sort != s.sort {
			p.Fail("cursor", text, "the next_cursor of a page with the same sort")
		}
	}
	return s, p.Err
}

// oneOf reads a parameter that may be repeated, and has only certain values.
func oneOf(p *rest.Params, name string, allowed ...string) (list []string) {
	for _, v := range p.Values[name] {
		if v == "" {
			continue
		}
		if !slices.Contains(allowed, v) {
			p.Fail(name, v, "one of "+strings.Join(allowed, ", "))
		}
		list = append(list, v)
	}
	return list
}

func parseCursor(text string) *cursor {
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	c := new(cursor)
	if json.Unmarshal(decoded, c) != nil {
		return nil
	}
	return c
}

func (c cursor) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		return "" // unreachable: numbers and texts
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// page returns the selected objectives after the cursor, at most limit of them; how many match on all pages; and the cursor of the
// next page, empty on the last.
func (s *selection) page(all []engine.Status) (list []*engine.Status, matched int, next string) {
	type placed struct {
		status *engine.Status
		key    key
	}
	var found []placed
	for i := range all {
		if s.matches(&all[i]) {
			found = append(found, placed{&all[i], s.keyOf(&all[i], i)})
		}
	}
	matched = len(found)
	if s.sort != configured {
		slices.SortFunc(found, func(a, b placed) int { return a.key.compare(b.key) })
	}
	if s.after != nil {
		from, there := slices.BinarySearchFunc(found, s.after.Key, func(p placed, k key) int { return p.key.compare(k) })
		if there {
			from++
		}
		found = found[from:]
	}
	if len(found) > s.limit {
		found = found[:s.limit]
		next = cursor{s.sort, found[len(found)-1].key}.String()
	}
	list = make([]*engine.Status, len(found))
	for i := range found {
		list[i] = found[i].status
	}
	return list, matched, next
}

// keyOf returns the place of an objective in the selected order.
func (s *selection) keyOf(o *engine.Status, index int) key {
	switch s.sort {
	case byUrgency:
		return keyOf(o)
	case byName:
		return key{Name: o.Name}
	default:
		return key{Rank: index}
	}
}

func (s *selection) matches(o *engine.Status) bool {
	return among(s.services, o.Service) && among(s.states, string(o.State)) && among(s.alerts, string(o.Alert.State)) &&
		among(s.severities, string(o.Alert.Severity)) && (len(s.urgent) == 0 || among(s.urgent, urgencyOf(o).String())) &&
		hasLabels(o, s.labels) && hasWords(o, s.words)
}

// among reports whether the list is empty or has the value.
func among(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }

func hasLabels(o *engine.Status, labels []string) bool {
	for _, label := range labels {
		name, value, _ := strings.Cut(label, "=")
		if has, ok := o.Labels[name]; !ok || has != value {
			return false
		}
	}
	return true
}

// hasWords reports whether the objective's name, service, description or labels have each of the words.
func hasWords(o *engine.Status, words []string) bool {
	return !slices.ContainsFunc(words, func(word string) bool { return !hasWord(o, word) })
}

func hasWord(o *engine.Status, word string) bool {
	for _, text := range [...]string{o.Name, o.Service, o.Description} {
		if strings.Contains(strings.ToLower(text), word) {
			return true
		}
	}
	for name, value := range o.Labels {
		if strings.Contains(strings.ToLower(name+"="+value), word) {
			return true
		}
	}
	return false
}
