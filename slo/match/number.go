package match

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slowburn/slowburn/internal/units"
)

// Range is a range of HTTP status codes, its ends included.
type Range struct{ From, To int }

// Codes is a condition over HTTP status codes. A code meets it if a range of In has it, or In is empty, and no range of NotIn has
// it. The ranges are sorted, apart from each other.
type Codes struct {
	In    []Range `json:",omitempty"`
	NotIn []Range `json:",omitempty"`
}

// Absent reports whether the condition is met by a span without a code: if all of it is negated.
func (c Codes) Absent() bool { return len(c.In) == 0 }

// Bitmap returns the codes that meet the condition.
func (c Codes) Bitmap() *Bitmap {
	b := new(Bitmap)
	for code := minHTTP; code <= maxHTTP; code++ {
		if (len(c.In) == 0 || slices.ContainsFunc(c.In, within(code))) && !slices.ContainsFunc(c.NotIn, within(code)) {
			b.add(code)
		}
	}
	if c.Absent() {
		b.add(0)
	}
	return b
}

func within(code int) func(Range) bool {
	return func(r Range) bool { return code >= r.From && code <= r.To }
}

var (
	codeForm  = regexp.MustCompile(`^([1-9])(\d|x)(\d|x)$`)
	rangeForm = regexp.MustCompile(`^(\d{3})\s*-\s*(\d{3})$`)
	boundForm = regexp.MustCompile(`^([<>]=?)\s*(\d{3})$`)
)

// parseCodes reads a condition over HTTP codes: 503, 5xx, 500-504, >=500, each perhaps negated by !=, or a list of such.
func parseCodes(key string, value any) (c Codes, err error) {
	list, ok := value.([]any)
	keyOf := func(i int) string { return fmt.Sprintf("%s[%d]", key, i) }
	if !ok {
		list, keyOf = []any{value}, func(int) string { return key }
	} else if len(list) == 0 {
		return c, fmt.Errorf("%s: is an empty list, which no span meets; write at least one code, or leave the key out", key)
	}
	var errs []error
	for i, v := range list {
		if err := c.add(v); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", keyOf(i), err))
		}
	}
	c.In, c.NotIn = merged(c.In), merged(c.NotIn)
	if err := errors.Join(errs...); err != nil {
		return Codes{}, err
	}
	if c.Bitmap().count() == 0 {
		return Codes{}, fmt.Errorf("%s: no code is in these ranges, so no span meets it; correct them", key)
	}
	return c, nil
}

func (c *Codes) add(value any) error {
	s, err := scalar(value)
	if err != nil {
		return err
	}
	to, rest := &c.In, s
	if text, negated := strings.CutPrefix(s, opNot); negated {
		to, rest = &c.NotIn, text
	} else if text, equal := strings.CutPrefix(s, opEqual); equal {
		rest = text
	}
	r, ok := rangeOf(strings.ToLower(strings.TrimSpace(rest)))
	if !ok {
		return fmt.Errorf("%q is no HTTP status code; write one as 503, a class as 5xx, a range as 500-504 or >=500, each with != before it to negate it", s)
	}
	*to = append(*to, r)
	return nil
}

func rangeOf(s string) (Range, bool) {
	if m := codeForm.FindStringSubmatch(s); m != nil && (m[2] != "x" || m[3] == "x") {
		from, _ := strconv.Atoi(strings.ReplaceAll(s, "x", "0"))
		to, _ := strconv.Atoi(strings.ReplaceAll(s, "x", "9"))
		return Range{from, to}, true
	}
	if m := rangeForm.FindStringSubmatch(s); m != nil {
		from, _ := strconv.Atoi(m[1])
		to, _ := strconv.Atoi(m[2])
		return Range{from, to}, from <= to && from >= minHTTP
	}
	if m := boundForm.FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[2])
		r := map[string]Range{">": {n + 1, maxHTTP}, ">=": {n, maxHTTP}, "<": {minHTTP, n - 1}, "<=": {minHTTP, n}}[m[1]]
		return r, r.From <= r.To
	}
	return Range{}, false
}

// merged returns sorted ranges, of which those that touch are one.
func merged(ranges []Range) (out []Range) {
	var all Bitmap
	for _, r := range ranges {
		for code := r.From; code <= r.To; code++ {
			all.add(code)
		}
	}
	for code := minHTTP; code <= maxHTTP; code++ {
		switch {
		case !all.Has(code):
		case code > minHTTP && all.Has(code-1):
			out[len(out)-1].To = code
		default:
			out = append(out, Range{code, code})
		}
	}
	return out
}

// Words describes the condition for people.
func (c Codes) Words(subject string) string {
	var parts []string
	if len(c.In) > 0 {
		parts = append(parts, "is "+alternatives(rangeWords(c.In)))
	}
	if len(c.NotIn) > 0 {
		parts = append(parts, "is not "+alternatives(rangeWords(c.NotIn)))
	}
	return subject + " " + strings.Join(parts, " and ")
}

func rangeWords(ranges []Range) []string {
	words := make([]string, len(ranges))
	for i, r := range ranges {
		switch {
		case r.From == r.To:
			words[i] = strconv.Itoa(r.From)
		case r.From%100 == 0 && r.To == r.From+99:
			words[i] = strconv.Itoa(r.From/100) + "xx"
		case r.To == maxHTTP:
			words[i] = fmt.Sprintf("%d or more", r.From)
		default:
			words[i] = fmt.Sprintf("%d to %d", r.From, r.To)
		}
	}
	return words
}

// Span is a condition over how long a span took: at least Min, and at most Max unless that is 0.
type Span struct {
	Min time.Duration `json:",omitempty"`
	Max time.Duration `json:",omitempty"`
}

var durationForm = regexp.MustCompile(`^([<>]=?)\s*(.+)$`)

// parseDuration reads a condition over a duration: >2s, >=2s, <10ms, <=10ms, or a list of two of them, which must both hold.
func parseDuration(key string, value any) (Span, error) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var d Span
	for _, v := range list {
		s, err := scalar(v)
		if err != nil {
			return Span{}, fmt.Errorf("%s: %w", key, err)
		}
		m := durationForm.FindStringSubmatch(s)
		if m == nil {
			return Span{}, fmt.Errorf("%s: %q compares with nothing; write it as %q or %q", key, s, ">2s", "<10ms")
		}
		n, err := units.ParseDuration(m[2])
		if err != nil {
			return Span{}, fmt.Errorf("%s: %w", key, err)
		}
		switch m[1] {
		case ">":
			d.Min = max(d.Min, n+1)
		case ">=":
			d.Min = max(d.Min, n)
		case "<":
			n--
			fallthrough
		case "<=":
			if n <= 0 {
				return Span{}, fmt.Errorf("%s: %q is met by no span; write a longer duration", key, s)
			}
			if d.Max == 0 || n < d.Max {
				d.Max = n
			}
		}
	}
	switch {
	case d == Span{}:
		return Span{}, fmt.Errorf("%s: every span meets it; write it as %q or %q", key, ">2s", "<10ms")
	case d.Max > 0 && d.Max < d.Min:
		return Span{}, fmt.Errorf("%s: no span meets both bounds; correct them", key)
	}
	return d, nil
}

// Words describes the condition for people.
func (d Span) Words() string {
	var parts []string
	if d.Min > 0 {
		if short := units.FormatDuration(d.Min); d.Min%time.Millisecond == 0 {
			parts = append(parts, "takes "+short+" or longer")
		} else if d.Min%time.Microsecond == 1 {
			parts = append(parts, "takes longer than "+(d.Min-1).String())
		} else {
			parts = append(parts, "takes "+d.Min.String()+" or longer")
		}
	}
	if d.Max > 0 {
		if d.Max%time.Microsecond == 999 {
			parts = append(parts, "takes less than "+(d.Max+1).String())
		} else {
			parts = append(parts, "takes "+d.Max.String()+" or less")
		}
	}
	return "it " + strings.Join(parts, " and ")
}
