// Package problems finds all mistakes in the configuration of a component, and describes each in one form: the component and key, the
// mistake, and what to write. Its one type is Problem, its functions are Of and Suggestion.
package problems

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/internal/units"
)

// Problem is one mistake.
type Problem struct {
	Key  string // of the value, or of the component if the key is unknown
	Text string
}

// String returns the problem as one line.
func (p Problem) String() string { return p.Key + ": " + p.Text }

// Of decodes a component's section into its default configuration, which it changes, validates that, and returns all mistakes. The key
// is the section's, such as processors::batch.
func Of(key string, conf *confmap.Conf, config any) (list []Problem) {
	r := reader{key: key, root: reflect.TypeOf(config).Elem().String(), names: namesOf(reflect.TypeOf(config))}
	if more, ok := config.(interface{ MoreKeys() []string }); ok { // those that it decodes by itself
		r.names = append(r.names, more.MoreKeys()...)
	}
	found := units.Check(key, conf.ToStringMap(), config)
	changes := map[string]any{}
	for _, f := range found.Refused {
		list = append(list, Problem{f.Key, f.Text})
		changes[strings.TrimPrefix(f.Key, key+confmap.KeyDelimiter)] = "0" // to find the other mistakes
	}
	for at, text := range found.Rewritten {
		changes[strings.TrimPrefix(at, key+confmap.KeyDelimiter)] = text
	}
	for at := range changes {
		if strings.Contains(at, "[") {
			delete(changes, at)
		}
	}
	if err := conf.Merge(confmap.NewFromStringMap(changes)); err != nil {
		return append(list, Problem{key, err.Error()})
	}
	err := conf.Unmarshal(config, confmap.WithIgnoreUnused())
	list = append(list, r.decoding(err)...)
	list = append(list, r.decoding(unused(conf, config))...)
	if err == nil {
		if err = confmap.Validate(config); err != nil {
			list = append(list, without(r.validation(err.Error()), found.Refused)...)
		}
	}
	return unique(list)
}

// reader parses the errors of a component's configuration.
type reader struct {
	key   string
	root  string   // the name of the configuration's type in decoding errors
	names []string // of all keys
}

// without removes problems of keys whose value was refused already: they are about the value in its place.
func without(list []Problem, refused []units.Finding) []Problem {
	return slices.DeleteFunc(list, func(p Problem) bool {
		return slices.ContainsFunc(refused, func(f units.Finding) bool { return strings.HasPrefix(p.Key, f.Key) })
	})
}

// unused decodes again, to find keys that nothing reads.
func unused(conf *confmap.Conf, config any) error {
	again := reflect.New(reflect.TypeOf(config).Elem())
	again.Elem().Set(reflect.ValueOf(config).Elem())
	return conf.Unmarshal(again.Interface())
}

func unique(list []Problem) []Problem {
	seen := map[Problem]bool{}
	return slices.DeleteFunc(list, func(p Problem) bool {
		again := seen[p]
		seen[p] = true
		return again
	})
}

var (
	// atKey matches a line of a decoding error: the place, and the text.
	atKey       = regexp.MustCompile(`^'([^']*)' (.*)$`)
	invalidKeys = regexp.MustCompile(`^has invalid keys: (.*)$`)
	wrongType   = regexp.MustCompile(`^expected (?:type '([^']+)'|(.+)), got (?:unconvertible )?(?:type )?['"]?([^'"]+)['"]?.*$`)
	// goType matches the name of a structure without a key of its own.
	goType = regexp.MustCompile(`^\w+\.[A-Z]\w*$|^$`)
)

// decoding parses a decoding error.
func (r reader) decoding(err error) (list []Problem) {
	if err == nil {
		return nil
	}
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasSuffix(line, "decoding failed due to the following error(s):") {
			continue
		}
		m := atKey.FindStringSubmatch(line)
		if m != nil && m[1] == "" && !invalidKeys.MatchString(m[2]) && !wrongType.MatchString(m[2]) {
			m, line = nil, m[2] // of a structure that decodes itself, and says its keys
		}
		if m == nil {
			list = append(list, r.validation(line)...)
			continue
		}
		at := r.key
		if m[1] != r.root && !goType.MatchString(m[1]) {
			at = r.key + confmap.KeyDelimiter + strings.ReplaceAll(m[1], ".", confmap.KeyDelimiter)
		}
		if unknown := invalidKeys.FindStringSubmatch(m[2]); unknown != nil {
			for name := range strings.SplitSeq(unknown[1], ", ") {
				list = append(list, Problem{at + confmap.KeyDelimiter + name, "is no key" + Suggestion(name, r.names)})
			}
			continue
		}
		text := m[2]
		if wrong := wrongType.FindStringSubmatch(text); wrong != nil {
			text = fmt.Sprintf("must be %s, not %s", kindOf(cmp.Or(wrong[1], wrong[2])), kindOf(wrong[3]))
		}
		list = append(list, Problem{at, text})
	}
	return list
}

// kindOf returns the YAML name of a Go type.
func kindOf(t string) string {
	switch {
	case strings.HasPrefix(t, "int"), strings.HasPrefix(t, "uint"):
		return "a whole number"
	case strings.HasPrefix(t, "float"):
		return "a number"
	case t == "string":
		return "a text"
	case t == "bool":
		return "true or false"
	case strings.HasPrefix(t, "[]"), t == "slice":
		return "a list"
	case strings.HasPrefix(t, "map"), strings.HasPrefix(t, "a map"):
		return "a map of keys"
	}
	return t
}

// leadingKey matches a key at the beginning of a line, with an index of a list or a key below it.
var leadingKey = regexp.MustCompile(`^([a-z][a-z0-9_]*)((?:\[\d+\]|::[\w/]+|\.[a-z_]+)*)`)

// leadingName matches the name of an element behind its key, quoted or in parentheses, and a colon.
var leadingName = regexp.MustCompile(`^ (?:("(?:[^"\\]|\\.)*")|\(([^()]*)\))(:.*)$`)

// leadingValue matches a value in parentheses behind its key.
var leadingValue = regexp.MustCompile(`^\(([^()]*)\) (must .*)$`)

// listIndex matches an element of a list, as confmap.Validate names it.
var listIndex = regexp.MustCompile(`::(\d+)(::|$)`)

// unknownKeys matches a line of ours about keys that nothing reads.
var unknownKeys = regexp.MustCompile(`^(.*?)\s*unknown keys: ([\w/., ]+)$`)

// validation parses a validation error: each line is a problem, with the key that it begins with.
func (r reader) validation(text string) (list []Problem) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasSuffix(line, "decoding failed due to the following error(s):") {
			continue
		}
		if atKey.MatchString(line) {
			list = append(list, r.decoding(errors.New(line))...)
			continue
		}
		at, line := r.place(line)
		if m := unknownKeys.FindStringSubmatch(line); m != nil {
			for name := range strings.SplitSeq(m[2], ", ") {
				if m[1] == "" {
					list = append(list, Problem{at + confmap.KeyDelimiter + name, "is no key" + Suggestion(name, r.names)})
				} else {
					list = append(list, Problem{at, m[1] + " " + name + " is no key" + Suggestion(name, r.names)})
				}
			}
			continue
		}
		if m := leadingValue.FindStringSubmatch(line); m != nil {
			line = m[1] + " " + m[2]
		}
		list = append(list, Problem{at, line})
	}
	return list
}

// place splits a line into the whole key that it begins with and the rest. The first key may be followed by a
// space, as in `check_interval must be …`; further ones are followed by a colon.
func (r reader) place(line string) (at, rest string) {
	at = r.key
	for first := true; ; first = false {
		m := leadingKey.FindStringSubmatch(line)
		if m == nil || !slices.Contains(r.names, m[1]) {
			return at, line
		}
		key, rest := m[0], line[len(m[0]):]
		if name := leadingName.FindStringSubmatch(rest); name != nil {
			key, rest = key+" "+cmp.Or(name[1], strconv.Quote(name[2])), name[3]
		}
		below, isBelow := strings.CutPrefix(rest, confmap.KeyDelimiter)
		text, isText := strings.CutPrefix(rest, ":")
		switch {
		case isBelow:
			rest = below
		case isText:
			rest = strings.TrimSpace(text)
		case first && strings.HasPrefix(rest, " "):
			rest = strings.TrimSpace(rest)
		default:
			return at, line
		}
		at += confmap.KeyDelimiter + listIndex.ReplaceAllString(strings.ReplaceAll(key, ".", confmap.KeyDelimiter), "[$1]$2")
		line = rest
	}
}

// Suggestion returns a hint at the name that may be meant by an unknown one, as a clause for the end of a message: empty if none of
// names is near.
func Suggestion(name string, names []string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, n := range names {
		if d := distance(name, n); d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return "; write " + best + ", if that is meant"
}

// distance returns the number of insertions, deletions, replacements and swaps of neighbours between two
// words.
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[(i-1)%3], rows[i%3], rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return rows[(len(a)+1)%3][len(b)]
}

// namesOf returns the names of all keys below a type.
func namesOf(t reflect.Type) []string {
	names := units.Names(t)
	slices.Sort(names)
	return slices.Compact(names)
}
