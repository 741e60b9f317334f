package traces

import (
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/brief"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// page is a view of a trace in the making, as GET /api/traces/v1/traces/{trace_id} answers it; openapi.yaml says what the fields mean.
type page struct {
	*rest.Page
	trace *trace.Trace
	kept  map[pcommon.TraceID]bool // linked traces that can be opened here
	marks map[*trace.Scope][]rest.Attribute
}

// writeTrace writes a reconstructed trace. kept are the linked traces that can be opened here. The warnings say what was left
// out for lack of room.
func writeTrace(to *rest.Page, t *trace.Trace, meta *tracestore.Meta, kept map[pcommon.TraceID]bool) {
	p := page{Page: to, trace: t, kept: kept, marks: map[*trace.Scope][]rest.Attribute{}}
	p.Object(func() {
		p.Key("trace_id").Plain(t.ID.String())
		p.Key("summary").Any(api.TraceSummaryOf(meta.Summary))
		p.Key("kept").Any(api.Kept{
			Policy: meta.Summary.Policy, Threshold: threshold(t), AdjustedCount: meta.Summary.AdjustedCount, LateSpans: meta.LateSpans,
		})
		p.Key("marks").Any(viewMarks(t))
		p.Key("clock").Object(p.clock)
		p.Key("orphans").Int(int64(t.Orphans))
		p.Key("duplicates").Int(int64(len(t.Identical)))
		p.Key("resources").Array(func() {
			for _, r := range t.Resources {
				p.Object(func() { p.Key("attributes").Attributes(wire.ResourceAttributes(r.Header)) })
			}
		})
		shown, warnings := p.Spans(len(t.Spans))
		p.Key("spans").Array(func() {
			for i := 0; i < shown && p.Err() == nil; i++ {
				s := &t.Spans[i]
				p.Object(func() { p.span(s) })
			}
		})
		p.Key("warnings").Strings(slices.Concat(t.Warnings, warnings, p.Warnings()))
	})
}

func (p *page) clock() {
	p.Key("status").Plain(p.trace.Clock.String())
	p.Key("clocks").Array(func() {
		for _, c := range p.trace.Clocks {
			if p.Item() {
				p.Any(api.Clock{
					Name: brief.Text(c.Name, maxClock), Offset: strconv.FormatInt(c.Offset, 10), Uncertainty: nanos(c.Uncertainty, c.Uncertainty >= 0),
					Pairs: c.Pairs, Status: c.Status.String(),
				})
			}
		}
	})
}

// maxClock is how many bytes of a clock's name are shown.
const maxClock = 4 << 10

// threshold returns the rejection threshold of the trace's first span that has one, in the format of ot=th.
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

// span writes the fields of a span.
func (p *page) span(s *trace.Span) {
	p.Key("span_id").Plain(pcommon.SpanID(s.ID).String())
	p.Key("parent_id").Plain(pcommon.SpanID(s.ParentID).String())
	if s.Synthetic {
		p.Key("name").Plain("missing span")
	} else {
		p.Key("name").Bytes(s.Data.Name)
	}
	p.Key("service").Text(s.Service)
	p.Key("kind").Plain(kindName(s.Kind))
	if s.Synthetic {
		p.Key("status").Plain("unset")
		p.Key("status_message").Plain(s.Cause.String())
	} else {
		p.Key("status").Plain(statusName(ptrace.StatusCode(s.Data.Status)))
		p.Key("status_message").Bytes(wire.StatusMessage(s.Data.Body))
	}
	p.Key("depth").Int(int64(s.Depth))
	p.Key("children").Int(int64(len(s.Children)))
	p.Key("synthetic").Bool(s.Synthetic)
	p.times(s)
	p.Key("flags").Strings(s.Flags.Names())
	p.content(s)
}

// times writes the span's times: by its own clock, and corrected.
func (p *page) times(s *trace.Span) {
	p.Key("start_unix_nano").Digits(s.Start)
	p.Key("end_unix_nano").Digits(s.End)
	p.Key("corrected_start_unix_nano").Digits(s.CorrectedStart)
	p.Key("corrected_end_unix_nano").Digits(s.CorrectedEnd)
	if uncertainty, bounded := p.trace.Uncertainty(s); bounded {
		p.Key("uncertainty_ns").Digits(uncertainty)
	} else {
		p.Key("uncertainty_ns").Null()
	}
	p.Key("duration_ns").Digits(s.Duration())
}

// content writes a span's scope, resource, attributes, events and links. A synthetic span has no scope and no attributes.
func (p *page) content(s *trace.Span) {
	var name, version string
	var marks []rest.Attribute
	if !s.Synthetic {
		name, version, marks = s.Scope.Name, s.Scope.Version, p.marksOf(s.Scope)
	}
	p.Key("scope").Object(func() {
		p.Key("name").Text(name)
		p.Key("version").Text(version)
	})
	body := s.Data.Body // empty where it is synthetic
	p.Key("attributes").Attributes(wire.SpanAttributes(body), marks...)
	p.Key("resource").Int(int64(s.Resource))
	p.Key("events").Array(func() {
		for e := range wire.SpanEvents(body) {
			if p.Item() {
				p.Object(func() {
					p.Key("name").Bytes(wire.EventName(e))
					p.Key("time_unix_nano").Digits(wire.EventTime(e))
					p.Key("attributes").Attributes(wire.EventAttributes(e))
				})
			}
		}
	})
	p.Key("links").Array(func() {
		for _, l := range s.Links {
			if p.Item() {
				id := l.Data.TraceID
				p.Object(func() {
					p.Key("trace_id").Plain(id.String())
					p.Key("span_id").Plain(pcommon.SpanID(l.Data.SpanID).String())
					p.Key("attributes").Attributes(wire.LinkAttributes(l.Data.Body))
					p.Key("kept").Bool(id == p.trace.ID || p.kept[pcommon.TraceID(id)])
				})
			}
		}
	})
}

// maxMarks is how many marks of a scope are shown: more than the gateway writes.
const maxMarks = 64

// marksOf is what the sampler marked a scope with. They are shown among the attributes of its spans, where they are looked for.
func (p *page) marksOf(scope *trace.Scope) []rest.Attribute {
	marks, known := p.marks[scope]
	if !known {
		for key, v := range wire.ScopeAttributes(scope.Header) {
			if isMark(string(key)) && len(marks) < maxMarks {
				marks = append(marks, rest.Attribute{Key: key, Value: v})
			}
		}
		p.marks[scope] = marks
	}
	return marks
}

// isMark reports whether the gateway writes attributes with this key.
func isMark(key string) bool {
	return strings.HasPrefix(key, "tailsampling.") || strings.HasPrefix(key, "slowburn.")
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
