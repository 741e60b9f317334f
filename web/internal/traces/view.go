package traces

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// page is a view of a trace in the making.
type page struct {
	rest.Budget
	trace *trace.Trace
	kept  map[pcommon.TraceID]bool // linked traces that can be opened here
	marks map[*trace.Scope]marked
}

// marked is what a scope is marked with, and how many bytes that takes.
type marked struct {
	attributes map[string]any
	bytes      int
}

// viewTrace renders a reconstructed trace. kept are the linked traces that can be opened here. What there is no room for in an
// answer is left out, and said in the warnings.
func viewTrace(t *trace.Trace, meta tracestore.Meta, kept map[pcommon.TraceID]bool) api.Trace {
	p := page{trace: t, kept: kept, marks: map[*trace.Scope]marked{}}
	shown, warnings := p.Spans(len(t.Spans))
	view := api.Trace{
		TraceID: t.ID.String(), Summary: api.TraceSummaryOf(meta.Summary),
		Kept: api.Kept{
			Policy: meta.Summary.Policy, Threshold: threshold(t), AdjustedCount: meta.Summary.AdjustedCount, LateSpans: meta.LateSpans,
		},
		Marks:   viewMarks(t),
		Clock:   api.Clocks{Status: t.Clock.String(), Clocks: []api.Clock{}},
		Orphans: t.Orphans, Duplicates: len(t.Identical),
		Spans: make([]api.Span, shown), Resources: make([]api.Resource, len(t.Resources)),
	}
	for _, c := range t.Clocks {
		view.Clock.Clocks = append(view.Clock.Clocks, api.Clock{
			Name: p.Text(c.Name), Offset: strconv.FormatInt(c.Offset, 10), Uncertainty: nanos(c.Uncertainty, c.Uncertainty >= 0),
			Pairs: c.Pairs, Status: c.Status.String(),
		})
	}
	for i, r := range t.Resources {
		view.Resources[i].Attributes = p.attributes(wire.ResourceAttributes(r.Header))
	}
	for i := range view.Spans {
		view.Spans[i] = p.span(&t.Spans[i])
	}
	view.Warnings = append([]string{}, slices.Concat(t.Warnings, warnings, p.Warnings())...)
	return view
}

// threshold is the rejection threshold of the trace's first span that has one, as ot=th writes it.
func threshold(t *trace.Trace) string {
	for i := range t.Spans {
		if t.Spans[i].Synthetic {
			continue
		}
		if th := tracestate.Parse(t.Spans[i].Data.TraceState).Threshold; th != tracestate.None {
			return hexThreshold(th)
		}
	}
	return "0"
}

func (p *page) span(s *trace.Span) api.Span {
	t := p.trace
	view := api.Span{
		SpanID: pcommon.SpanID(s.ID).String(), Synthetic: s.Synthetic, Service: p.Text(s.Service), Kind: kindName(s.Kind), Resource: s.Resource,
		SpanStatus: api.SpanStatus{Status: "unset"}, SpanPlace: api.SpanPlace{Depth: s.Depth, Children: len(s.Children)}, SpanTimes: viewTimes(t, s),
		Flags: append([]string{}, s.Flags.Names()...), Events: []api.Event{}, Links: []api.Link{},
		Attributes: map[string]any{},
	}
	view.ParentID = pcommon.SpanID(s.ParentID).String()
	if s.Synthetic {
		view.Name = "missing span"
		view.StatusMessage = s.Cause.String()
		return view
	}
	body := s.Data.Body
	view.Name = p.Text(string(s.Data.Name))
	view.Status = statusName(ptrace.StatusCode(s.Data.Status))
	view.StatusMessage = p.Text(string(wire.StatusMessage(body)))
	view.Scope = api.Scope{Name: p.Text(s.Scope.Name), Version: p.Text(s.Scope.Version)}
	view.Attributes = p.attributes(wire.SpanAttributes(body))
	p.addMarks(view.Attributes, s.Scope)
	for e := range wire.SpanEvents(body) {
		if p.Item() {
			view.Events = append(view.Events, api.Event{
				Name: p.Text(string(wire.EventName(e))), Time: unixNano(wire.EventTime(e)), Attributes: p.attributes(wire.EventAttributes(e)),
			})
		}
	}
	for _, l := range s.Links {
		if !p.Item() {
			continue
		}
		id := l.Data.TraceID
		view.Links = append(view.Links, api.Link{
			TraceID: id.String(), SpanID: pcommon.SpanID(l.Data.SpanID).String(), Attributes: p.attributes(wire.LinkAttributes(l.Data.Body)),
			Kept: id == t.ID || p.kept[pcommon.TraceID(id)],
		})
	}
	return view
}

// attributes are attributes as JSON has them.
func (p *page) attributes(attributes iter.Seq2[[]byte, wire.Value]) map[string]any {
	return p.Attributes(wire.AttributeMap(attributes))
}

// maxMarks is how many marks of a scope are shown: more than the gateway writes.
const maxMarks = 64

// addMarks adds what the sampler marked the scope with to the attributes of a span, where it is looked for.
func (p *page) addMarks(attributes map[string]any, scope *trace.Scope) {
	of, known := p.marks[scope]
	if !known {
		before := p.Spent()
		of.attributes = p.attributes(func(yield func([]byte, wire.Value) bool) {
			marks := 0
			for key, v := range wire.ScopeAttributes(scope.Header) {
				if !isMark(string(key)) {
					continue
				}
				if marks++; marks > maxMarks || !yield(key, v) {
					return
				}
			}
		})
		of.bytes = p.Spent() - before
		p.marks[scope] = of
	} else if !p.Repeat(len(of.attributes), of.bytes) {
		return
	}
	for key, value := range of.attributes {
		if _, own := attributes[key]; !own {
			attributes[key] = value
		}
	}
}

// isMark reports whether the gateway writes attributes with this key.
func isMark(key string) bool {
	return strings.HasPrefix(key, "tailsampling.") || strings.HasPrefix(key, "slowburn.")
}

func viewTimes(t *trace.Trace, s *trace.Span) api.SpanTimes {
	uncertainty, bounded := t.Uncertainty(s)
	return api.SpanTimes{
		Start: unixNano(s.Start), End: unixNano(s.End),
		CorrectedStart: unixNano(s.CorrectedStart), CorrectedEnd: unixNano(s.CorrectedEnd),
		Uncertainty: nanos(int64(uncertainty), bounded), Duration: unixNano(s.Duration()),
	}
}

// kindName is the kind in lower case; one that OTLP does not know is unspecified, as OTLP says.
func kindName(k int32) string {
	if name := trace.KindName(k); name != "" {
		return name
	}
	return "unspecified"
}

// statusName is the status in lower case; one that OTLP does not know is unset.
func statusName(c ptrace.StatusCode) string {
	if name := strings.ToLower(c.String()); name != "" {
		return name
	}
	return "unset"
}

func unixNano(n uint64) string { return strconv.FormatUint(n, 10) }

func nanos(n int64, known bool) *string {
	if !known {
		return nil
	}
	s := strconv.FormatInt(n, 10)
	return &s
}

// hexThreshold writes a threshold as ot=th does: 14 hexadecimal digits without the zeros at the end.
func hexThreshold(th uint64) string {
	if th == 0 {
		return "0"
	}
	digits := strconv.FormatUint(th, 16)
	digits = strings.Repeat("0", 14-len(digits)) + digits
	return strings.TrimRight(digits, "0")
}
