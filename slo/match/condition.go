package match

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Condition is met by a span that meets all of its parts; nil parts are met by every span. The zero Condition is met by every span.
type Condition struct {
	Service   *Text `json:",omitempty"`
	Operation *Text `json:",omitempty"`
	Version   *Text `json:",omitempty"`
	// Kind is over the names of Kinds, Status over those of Statuses.
	Kind   *Text `json:",omitempty"`
	Status *Text `json:",omitempty"`
	// HTTP is over the status code of HTTP, RPC over that of RPCs as RPCText gives it, ErrorType over error.type.
	HTTP      *Codes `json:",omitempty"`
	RPC       *Text  `json:",omitempty"`
	ErrorType *Text  `json:",omitempty"`
	Duration  *Span  `json:",omitempty"`
	// Attributes are those of the span, or else of its resource.
	Attributes map[string]Text `json:",omitempty"`
}

// Kinds are the kinds of spans, by OTLP's number.
var Kinds = []string{"unspecified", "internal", "server", "client", "producer", "consumer"}

// Statuses are the status codes of spans, by OTLP's number.
var Statuses = []string{"unset", "ok", "error"}

// Every returns the numbers of the names that meet a condition, as bits; all for nil.
func Every(names []string, t *Text) (mask uint8) {
	if t == nil {
		return 1<<len(names) - 1
	}
	m := t.Compile()
	for i, name := range names {
		if m.MatchString(name) {
			mask |= 1 << i
		}
	}
	return mask
}

// Key returns a text that two conditions share if and only if they are equal.
func (c Condition) Key() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // texts and numbers always marshal
	}
	return string(b)
}

// Sorted returns conditions in the order of their keys, without duplicates; nil for none.
func Sorted(conditions []Condition) []Condition {
	byKey := map[string]Condition{}
	for _, c := range conditions {
		byKey[c.Key()] = c
	}
	var out []Condition
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		out = append(out, byKey[key])
	}
	return out
}

// oneOf reads texts that are among some names, in any case, also with the prefix that OTLP has.
func oneOf(what, prefix string, names []string) texts {
	return texts{
		literal: func(s string) (string, error) {
			if name := strings.TrimPrefix(strings.ToLower(s), prefix); slices.Contains(names, name) {
				return name, nil
			}
			return "", fmt.Errorf("%q is not one of %s", s, strings.Join(names, ", "))
		},
		pattern: func(re *regexp.Regexp) error {
			if !slices.ContainsFunc(names, re.MatchString) {
				return fmt.Errorf("the pattern matches no %s; the names are %s", what, strings.Join(names, ", "))
			}
			return nil
		},
		listed: true,
	}
}

// ParseKind reads a condition over the kind of a span.
func ParseKind(key string, value any) (Text, error) {
	return oneOf("kind", "span_kind_", Kinds).parse(key, value)
}

// ParseName reads a condition over the name of a service, or a version: a comma in it is a mistake.
func ParseName(key string, value any) (Text, error) { return texts{listed: true}.parse(key, value) }

// rpcCodes reads codes in any spelling.
var rpcCodes = texts{listed: true, literal: func(s string) (string, error) { return string(RPCText([]byte(s))), nil }}

// ParseAttributes reads conditions over attributes, by name.
func ParseAttributes(key string, value any) (map[string]Text, error) {
	values, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: is no map; write {http.route: /orders}", key)
	}
	out := make(map[string]Text, len(values))
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		t, err := ParseText(key+"::"+name, values[name])
		if name == "" {
			err = fmt.Errorf("%s: an attribute has no name; write one, as in {http.route: /orders}", key)
		}
		errs = append(errs, err)
		out[name] = t
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return out, nil
}

// part is a key of a condition.
type part struct {
	key   string
	parse func(c *Condition, key string, value any) error
}

// textPart returns a part that is a Text.
func textPart(key string, parse func(string, any) (Text, error), to func(*Condition) **Text) part {
	return part{key, func(c *Condition, key string, value any) error {
		t, err := parse(key, value)
		*to(c) = &t
		return err
	}}
}

// allParts are the keys of a condition.
var allParts = []part{
	textPart("service", ParseName, func(c *Condition) **Text { return &c.Service }),
	textPart("kind", ParseKind, func(c *Condition) **Text { return &c.Kind }),
	textPart("operations", ParseText, func(c *Condition) **Text { return &c.Operation }),
	textPart("version", ParseName, func(c *Condition) **Text { return &c.Version }),
	{"attributes", func(c *Condition, key string, value any) (err error) {
		c.Attributes, err = ParseAttributes(key, value)
		return err
	}},
	textPart("status", oneOf("status", "status_code_", Statuses).parse, func(c *Condition) **Text { return &c.Status }),
	{HTTPKey, func(c *Condition, key string, value any) error {
		codes, err := parseCodes(key, value)
		c.HTTP = &codes
		return err
	}},
	textPart(RPCKey, rpcCodes.parse, func(c *Condition) **Text { return &c.RPC }),
	textPart("error.type", ParseText, func(c *Condition) **Text { return &c.ErrorType }),
	{"duration", func(c *Condition, key string, value any) error {
		d, err := parseDuration(key, value)
		c.Duration = &d
		return err
	}},
}

// ParseList reads a list of conditions, or a single one. An entry is a preset's name or a map of conditions that must all be met.
func ParseList(key string, value any) ([]Condition, error) {
	list, ok := value.([]any)
	keyOf := func(i int) string { return fmt.Sprintf("%s[%d]", key, i) }
	if !ok {
		list, keyOf = []any{value}, func(int) string { return key }
	} else if len(list) == 0 {
		return nil, fmt.Errorf("%s: is an empty list; write at least one condition, or leave the key out", key)
	}
	var out []Condition
	var errs []error
	for i, v := range list {
		switch v := v.(type) {
		case string:
			preset, err := presetOf(keyOf(i), v)
			out, errs = append(out, preset...), append(errs, err)
		case map[string]any:
			c, err := parseCondition(keyOf(i), v)
			out, errs = append(out, c), append(errs, err)
		default:
			errs = append(errs, fmt.Errorf("%s: %v is no condition; write %s, or a map such as {%s: 5xx}", keyOf(i), v, presetNames(), HTTPKey))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return Sorted(out), nil
}

func parseCondition(key string, values map[string]any) (Condition, error) {
	var c Condition
	if len(values) == 0 {
		return c, fmt.Errorf("%s: is an empty condition, which every span meets; write at least one key", key)
	}
	var errs []error
	known := map[string]bool{}
	for _, p := range allParts {
		known[p.key] = true
		if v, ok := values[p.key]; ok {
			errs = append(errs, p.parse(&c, key+"::"+p.key, v))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !known[name] {
			errs = append(errs, fmt.Errorf("%s: unknown key %q; %s", key, name, insteadOf(name, values[name])))
		}
	}
	return c, errors.Join(errs...)
}

// insteadOf returns what to write in the place of an unknown key of a condition.
func insteadOf(name string, value any) string {
	if i := SpellingOf([]byte(name)); i >= 0 {
		key := map[Fact]string{HTTPCode: HTTPKey, RPCCode: RPCKey, ErrorType: "error.type"}[Spellings[i].Fact]
		return fmt.Sprintf("write %s, which is about all attributes that hold this code", key)
	}
	for other, key := range map[string]string{"operation": "operations", "span.name": "operations", "name": "operations",
		"service.name": "service", "service.version": "version", "span.kind": "kind", "latency": "duration", "threshold": "duration",
		"status.code": "status", "status_code": "status", "otel.status_code": "status", "http": HTTPKey, "grpc": RPCKey, "rpc": RPCKey} {
		if name == other {
			return "write " + key
		}
	}
	if strings.Contains(name, ".") {
		return fmt.Sprintf("write attributes: {%s: %v} for an attribute", name, value)
	}
	keys := make([]string, len(allParts))
	for i, p := range allParts {
		keys[i] = p.key
	}
	return "the keys are " + strings.Join(keys, ", ")
}

// Words describes the condition for people, as in "its status is error and it takes longer than 2s".
func (c Condition) Words() string {
	var words []string
	add := func(t *Text, subject string) {
		if t != nil {
			words = append(words, t.Words(subject))
		}
	}
	add(c.Service, "its service")
	add(c.Kind, "its kind")
	add(c.Operation, "its operation")
	add(c.Version, "its version")
	for _, name := range slices.Sorted(maps.Keys(c.Attributes)) {
		words = append(words, c.Attributes[name].Words(name))
	}
	add(c.Status, "its status")
	if c.HTTP != nil {
		words = append(words, c.HTTP.Words("its HTTP status"))
	}
	add(c.RPC, "its RPC status")
	add(c.ErrorType, "its error.type")
	if c.Duration != nil {
		words = append(words, c.Duration.Words())
	}
	return strings.Join(words, " and ")
}
