package units

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Finding is a value without a unit, or not in our grammar.
type Finding struct {
	Key  string // as in receivers::otlp::receive_timeout
	Text string // the mistake, and what to write
}

// String returns the finding as one line.
func (f Finding) String() string { return f.Key + ": " + f.Text }

// Findings are the results of Check.
type Findings struct {
	Refused, Warned []Finding
	// Rewritten has durations in our grammar, rewritten in the grammar of their key's type, by key. It is for maps only, as no key of
	// ours within a list needs it.
	Rewritten map[string]string
}

// ourModule is the module of our types.
const ourModule = "github.com/slowburn/slowburn"

// Foreign is the value of the struct tag `units` of keys of ours that mean what they mean in the component that we took over.
const Foreign = "foreign"

// Check compares a value, as read from YAML, with the configuration that it is decoded into. Key is the value's key.
func Check(key string, value, into any) Findings {
	c := checker{Findings{Rewritten: map[string]string{}}}
	c.walk(place{key: key, ours: true}, value, reflect.TypeOf(into))
	byKey := func(a, b Finding) int { return cmp.Compare(a.Key, b.Key) }
	for _, list := range []*[]Finding{&c.found.Refused, &c.found.Warned} {
		slices.SortFunc(*list, byKey)
		*list = slices.Compact(*list) // two structures decoded from one section may have the same key
	}
	return c.found
}

// Keys calls yield for every key below a configuration's type that is a duration or a size. Elements of lists and maps have the key *.
func Keys(key string, config any, yield func(key string, t reflect.Type, ours, inList bool)) {
	keys(place{key: key, ours: true}, reflect.TypeOf(config), map[reflect.Type]bool{}, yield)
}

type checker struct{ found Findings }

// place is the place of a value.
type place struct {
	key     string
	name    string // the last part of the key
	ours    bool
	foreign bool // it is ours, with the meaning of the component that we took over
	inList  bool
}

func (p place) below(name string) place {
	p.key, p.name = p.key+"::"+name, name
	return p
}

var (
	goDuration = reflect.TypeFor[time.Duration]()
	duration   = reflect.TypeFor[Duration]()
	sizeType   = reflect.TypeFor[Size]()
)

// isDuration reports whether a type is a duration, including a library's with a text form of its own.
func isDuration(t reflect.Type) bool {
	return t == goDuration || t.Kind() == reflect.Int64 && t.Name() == "Duration"
}

// inner returns the type that is decoded in place of another: the content of a pointer or an optional value.
func inner(t reflect.Type) reflect.Type {
	for t != nil {
		switch {
		case t.Kind() == reflect.Pointer:
			t = t.Elem()
		case strings.HasSuffix(t.PkgPath(), "/configoptional"):
			get, ok := reflect.PointerTo(t).MethodByName("Get")
			if !ok {
				return t
			}
			t = get.Type.Out(0)
		default:
			return t
		}
	}
	return t
}

// field is a key of a structure.
type field struct {
	name    string
	t       reflect.Type
	squash  bool
	foreign bool
}

func fieldsOf(t reflect.Type) (fields []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("mapstructure"), ",")
		if !f.IsExported() && !f.Anonymous || name == "-" || strings.Contains(options, "remain") {
			continue
		}
		fields = append(fields, field{
			name: cmp.Or(name, strings.ToLower(f.Name)), t: f.Type, squash: strings.Contains(options, "squash"),
			foreign: f.Tag.Get("units") == Foreign,
		})
	}
	return fields
}

// of returns the place of a field's value, which is ours if its type is.
func (p place) of(t reflect.Type, f field) place {
	if !f.squash {
		p = p.below(f.name)
	}
	p.ours, p.foreign = strings.HasPrefix(t.PkgPath(), ourModule), f.foreign
	return p
}

func (c *checker) walk(p place, value any, t reflect.Type) {
	t = inner(t)
	if t == nil || value == nil {
		return
	}
	switch {
	case isDuration(t):
		c.duration(p, value, t)
	case t == sizeType:
		c.bytes(p, value)
	case t.Kind() == reflect.Struct:
		values, ok := value.(map[string]any)
		if !ok {
			return
		}
		for _, f := range fieldsOf(t) {
			if f.squash {
				c.walk(p.of(t, f), value, f.t)
			} else if v, there := values[f.name]; there {
				c.walk(p.of(t, f), v, f.t)
			}
		}
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		list, _ := value.([]any)
		for i, v := range list {
			at := p
			at.key, at.inList = fmt.Sprintf("%s[%d]", p.key, i), true
			c.walk(at, v, t.Elem())
		}
	case t.Kind() == reflect.Map:
		values, _ := value.(map[string]any)
		for name, v := range values {
			c.walk(p.below(name), v, t.Elem())
		}
	}
}

func (c *checker) duration(p place, value any, t reflect.Type) {
	if n, ok := numberOf(value); ok {
		if n == 0 {
			return
		}
		if p.ours && !p.foreign {
			c.refuse(p, fmt.Sprintf("%v has no unit; write %vs, %vm or %vms, whichever it is", value, value, value, value))
		} else {
			meant := fmt.Sprintf("%vs", value)
			if d := time.Duration(n); d >= time.Millisecond { // nobody means so many seconds
				meant = d.String()
			}
			c.warn(p, fmt.Sprintf("%v has no unit, and is %s; write what is meant with a unit, as in %s", value, time.Duration(n), meant))
		}
		return
	}
	s, ok := value.(string)
	if !ok || !p.ours || t == duration { // decoding reports the mistake
		return
	}
	d, err := ParseDuration(s)
	if err != nil {
		c.refuse(p, err.Error())
		return
	}
	if p.inList {
		return
	}
	if own, ok := reflect.New(t).Interface().(encoding.TextUnmarshaler); ok { // in Prometheus' grammar
		if own.UnmarshalText([]byte(s)) != nil {
			c.found.Rewritten[p.key] = FormatDuration(d)
		}
	} else if _, err := time.ParseDuration(s); err != nil {
		c.found.Rewritten[p.key] = d.String()
	}
}

func (c *checker) bytes(p place, value any) {
	if strings.HasSuffix(p.name, "_bytes") {
		return
	}
	n, ok := numberOf(value)
	if s, isText := value.(string); isText && s != "" && strings.Trim(s, "0123456789.") == "" {
		n, ok = 1, strings.Trim(s, "0.") != ""
	}
	if ok && n != 0 {
		c.refuse(p, fmt.Sprintf("%v has no unit; write %vB, %vMiB or %vMB, whichever it is", value, value, value, value))
	}
}

func (c *checker) refuse(p place, text string) {
	c.found.Refused = append(c.found.Refused, Finding{p.key, text})
}

func (c *checker) warn(p place, text string) {
	c.found.Warned = append(c.found.Warned, Finding{p.key, text})
}

// numberOf returns a number of YAML, and false for any other value.
func numberOf(value any) (float64, bool) {
	v := reflect.ValueOf(value)
	switch {
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	case v.CanFloat():
		return v.Float(), true
	}
	return 0, false
}

func keys(p place, t reflect.Type, above map[reflect.Type]bool, yield func(string, reflect.Type, bool, bool)) {
	t = inner(t)
	switch {
	case t == nil || above[t]:
	case isDuration(t) || t == sizeType:
		yield(p.key, t, p.ours && !p.foreign, p.inList)
	case t.Kind() == reflect.Struct:
		above[t] = true
		for _, f := range fieldsOf(t) {
			keys(p.of(t, f), f.t, above, yield)
		}
		delete(above, t)
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		p.inList = true
		keys(p.below("*"), t.Elem(), above, yield)
	case t.Kind() == reflect.Map:
		keys(p.below("*"), t.Elem(), above, yield)
	}
}

// Names returns the names of all keys below a configuration's type.
func Names(t reflect.Type) []string {
	var all []string
	names(t, map[reflect.Type]bool{}, &all)
	return all
}

func names(t reflect.Type, seen map[reflect.Type]bool, all *[]string) {
	t = inner(t)
	if t == nil || seen[t] {
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		seen[t] = true
		for _, f := range fieldsOf(t) {
			if !f.squash {
				*all = append(*all, f.name)
			}
			names(f.t, seen, all)
		}
	case reflect.Slice, reflect.Array, reflect.Map:
		names(t.Elem(), seen, all)
	}
}
