package meaning

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/slowburn/slowburn/slo"
)

// query is the text that is analysed.
type query struct {
	// window stands for {{.window}}: a duration that the template does not have.
	window time.Duration
	// text is the template with the window in it.
	text string
}

// placeholderFor returns a duration whose text the template does not have.
func placeholderFor(template string) time.Duration {
	seconds := 366797
	for strings.Contains(template, fmt.Sprint(seconds)) {
		seconds++
	}
	return time.Duration(seconds) * time.Second
}

func (q *query) written() string { return fmt.Sprintf("%ds", int(q.window/time.Second)) }

// plain puts {{.window}} back into the text of an error.
func (q *query) plain(err error) error {
	return errors.New(strings.ReplaceAll(err.Error(), q.written(), placeholder))
}

// rewritten returns the template with calls of rate() and irate() as increase().
func (q *query) rewritten(rates []*parser.Call) string {
	text := q.text
	slices.SortFunc(rates, func(a, b *parser.Call) int { return int(b.PosRange.Start - a.PosRange.Start) })
	for _, call := range slices.Compact(rates) {
		start := int(call.PosRange.Start)
		text = text[:start] + "increase" + text[start+len(call.Func.Name):]
	}
	return strings.ReplaceAll(text, q.written(), placeholder)
}

// maxQuoted is the length of a part of a query in an error, in bytes.
const maxQuoted = 120

// quote returns the text of a part of the query, as the template has it.
func (q *query) quote(expr parser.Node) string {
	at := expr.PositionRange()
	text := q.text
	if at.Start >= 0 && int(at.End) <= len(text) && at.Start < at.End {
		text = text[at.Start:at.End]
	}
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, q.written(), placeholder)), " ")
	if len(text) > maxQuoted {
		text = strings.ToValidUTF8(text[:maxQuoted], "") + "…"
	}
	return text
}

// refuse returns an error about a part of the query. The text says what that part is, and then what to write.
func (q *query) refuse(expr parser.Node, format string, args ...any) error {
	return fmt.Errorf("%s %s", q.quote(expr), fmt.Sprintf(format, args...))
}

// short returns the text of a duration of the query.
func (q *query) short(d time.Duration) string {
	if d == q.window {
		return placeholder
	}
	return slo.FormatDuration(d)
}
