package match

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Text is a condition over a text. A text meets it if it is in In or matches a pattern of Like, or both are empty; and if it is
// not in NotIn and matches no pattern of NotLike. The zero Text is met by every text. The lists are sorted and without duplicates.
type Text struct {
	In      []string `json:",omitempty"`
	Like    []string `json:",omitempty"` // RE2, anchored
	NotIn   []string `json:",omitempty"`
	NotLike []string `json:",omitempty"`
}

// Equal returns the condition that a text is one of the values.
func Equal(values ...string) Text { return Text{In: canonical(values)} }

// IsZero reports whether every text meets the condition.
func (t Text) IsZero() bool {
	return len(t.In)+len(t.Like)+len(t.NotIn)+len(t.NotLike) == 0
}

// Absent reports whether the condition is met where there is no text: if all of it is negated.
func (t Text) Absent() bool { return len(t.In)+len(t.Like) == 0 }

// IsPlain reports whether the condition is nothing but texts to be equal to.
func (t Text) IsPlain() bool { return len(t.Like)+len(t.NotIn)+len(t.NotLike) == 0 }

// canonical returns sorted values without duplicates, nil for none.
func canonical(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// The operators that a text may begin with.
const (
	opEqual    = "="
	opNot      = "!="
	opLike     = "=~"
	opNotLike  = "!~"
	emptyValue = `""`
)

// texts says how the texts of a key are read.
type texts struct {
	// literal returns the canonical form of a literal, or what is wrong with it. nil takes any.
	literal func(string) (string, error)
	// pattern returns what is wrong with a valid pattern. nil takes any.
	pattern func(*regexp.Regexp) error
	// listed says that a comma separates texts in other tools, and is no part of them.
	listed bool
}

// ParseText reads a condition from YAML: a text with or without an operator, or a list of such. Each line of the error begins with
// the key.
func ParseText(key string, value any) (Text, error) { return texts{}.parse(key, value) }

func (p texts) parse(key string, value any) (t Text, err error) {
	list, ok := value.([]any)
	if !ok {
		err = p.add(&t, key, value)
	} else {
		if len(list) == 0 {
			return t, fmt.Errorf("%s: is an empty list, which no span meets; write at least one value, or leave the key out", key)
		}
		var errs []error
		for i, v := range list {
			errs = append(errs, p.add(&t, fmt.Sprintf("%s[%d]", key, i), v))
		}
		err = errors.Join(errs...)
	}
	if err != nil {
		return Text{}, err
	}
	t = Text{canonical(t.In), canonical(t.Like), canonical(t.NotIn), canonical(t.NotLike)}
	for _, text := range t.In {
		if slices.Contains(t.NotIn, text) {
			return Text{}, fmt.Errorf("%s: %q is demanded and negated at once, so no span meets it; remove one of the two", key, text)
		}
	}
	return t, nil
}

// add adds one value of YAML.
func (p texts) add(t *Text, key string, value any) error {
	s, err := scalar(value)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	op, text := cutOperator(s)
	to := map[string]*[]string{"": &t.In, opEqual: &t.In, opNot: &t.NotIn, opLike: &t.Like, opNotLike: &t.NotLike}[op]
	switch {
	case (op == opLike || op == opNotLike) && strings.TrimSpace(text) == "":
		return fmt.Errorf("%s: %q has no pattern; write a regular expression after it, as in %q", key, s, op+"GET .*")
	case op == opNot && text == "":
		return fmt.Errorf("%s: %q has no text; write %q for any text that is not empty", key, s, opLike+".+")
	case op != "" && text != "" && strings.TrimSpace(text) != text:
		return fmt.Errorf("%s: %q has a space after its operator or at its end; write %q", key, s, op+strings.TrimSpace(text))
	case op == opLike || op == opNotLike:
		re, err := compilePattern(text)
		if err == nil && p.pattern != nil {
			err = p.pattern(re)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		*to = append(*to, text)
		return nil
	case op == "":
		if advice := foreign(s, p.listed); advice != "" {
			return fmt.Errorf("%s: %q %s", key, s, advice)
		}
	}
	if p.literal != nil {
		if text, err = p.literal(text); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	*to = append(*to, text)
	return nil
}

// cutOperator divides a text into its operator, "" if there is none, and the rest.
func cutOperator(s string) (op, rest string) {
	for _, op := range []string{opLike, opNotLike, opNot, opEqual} {
		if rest, ok := strings.CutPrefix(s, op); ok {
			return op, rest
		}
	}
	return "", s
}

// scalar returns a value of YAML as text.
func scalar(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case uint64:
		return strconv.FormatUint(v, 10), nil
	case float64:
		return "", fmt.Errorf(`%v is a number with a fraction, of which YAML drops zeros; write it in quotes, as in "1.10"`, v)
	case nil:
		return "", fmt.Errorf(`is empty; write a text, or "=" for the empty text`)
	case map[string]any:
		return "", errors.New("is a map; write a text or a list of texts")
	case []any:
		return "", errors.New("is a list within a list; write a text")
	default:
		return "", fmt.Errorf("%v is no text for YAML; write it in quotes", v)
	}
}

// Quote returns a text as a user has to write it to mean the text itself.
func Quote(text string) string {
	if op, _ := cutOperator(text); op != "" || foreign(text, false) != "" {
		return opEqual + text
	}
	return text
}

// Words describes the condition of a subject, such as "the operation", for people.
func (t Text) Words(subject string) string {
	var parts []string
	var positive []string
	if len(t.In) > 0 {
		positive = append(positive, "is "+alternatives(quoted(t.In)))
	}
	if len(t.Like) > 0 {
		positive = append(positive, "matches "+alternatives(t.Like))
	}
	if len(positive) > 0 {
		parts = append(parts, strings.Join(positive, " or "))
	}
	if len(t.NotIn) > 0 {
		parts = append(parts, "is not "+alternatives(quoted(t.NotIn)))
	}
	if len(t.NotLike) > 0 {
		parts = append(parts, "does not match "+alternatives(t.NotLike))
	}
	if len(parts) == 0 {
		return ""
	}
	return subject + " " + strings.Join(parts, " and ")
}

// quoted makes an empty text visible.
func quoted(values []string) []string {
	out := slices.Clone(values)
	for i, v := range out {
		if v == "" {
			out[i] = emptyValue
		}
	}
	return out
}

// alternatives joins texts as in "a, b or c".
func alternatives(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	last := len(values) - 1
	return strings.Join(values[:last], ", ") + " or " + values[last]
}
