package jaeger

import (
	"fmt"
	"iter"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// traceView is a trace in the JSON of Jaeger's query API, with raw times, as Jaeger itself would have it.
type traceView struct {
	TraceID   string                 `json:"traceID"`
	Spans     []spanView             `json:"spans"`
	Processes map[string]processView `json:"processes"`
	Warnings  []string               `json:"warnings"`
}

type spanView struct {
	TraceID    string          `json:"traceID"`
	SpanID     string          `json:"spanID"`
	Operation  string          `json:"operationName"`
	References []referenceView `json:"references"`
	Flags      uint32          `json:"flags"`
	Start      uint64          `json:"startTime"` // Unix microseconds
	Duration   uint64          `json:"duration"`  // microseconds
	Tags       []tagView       `json:"tags"`
	Logs       []logView       `json:"logs"`
	Process    string          `json:"processID"`
	Warnings   []string        `json:"warnings"`
}

type referenceView struct {
	Type    string `json:"refType"`
	TraceID string `json:"traceID"`
	SpanID  string `json:"spanID"`
}

type tagView struct {
	Key   string `json:"key"`
	Type  string `json:"type"`
	Value any    `json:"value"`
}

type logView struct {
	Time   uint64    `json:"timestamp"` // Unix microseconds
	Fields []tagView `json:"fields"`
}

type processView struct {
	Service string    `json:"serviceName"`
	Tags    []tagView `json:"tags"`
}

// page is an answer in the making: all its traces share what there is room for.
type page struct {
	rest.Budget
	scopes map[*trace.Scope]scopeTags // of the trace
}

// scopeTags are the tags of a scope, and how many bytes they take.
type scopeTags struct {
	tags  []tagView
	bytes int
}

// trace renders the spans that arrived; Jaeger draws its own tree. What there is no room for is left out, and said in the warnings
// of the trace.
func (p *page) trace(t *trace.Trace) traceView {
	p.scopes = map[*trace.Scope]scopeTags{}
	view := traceView{TraceID: t.ID.String(), Spans: []spanView{}, Processes: map[string]processView{}}
	shown, warnings := p.Spans(len(t.Spans))
	for i := range t.Spans[:shown] {
		s := &t.Spans[i]
		if s.Synthetic {
			continue
		}
		process := fmt.Sprintf("p%d", s.Resource+1)
		if _, ok := view.Processes[process]; !ok {
			view.Processes[process] = processView{p.Text(s.Service), p.tags(wire.ResourceAttributes(t.Resources[s.Resource].Header))}
		}
		view.Spans = append(view.Spans, p.span(t, s, process))
	}
	view.Warnings = slices.Concat(t.Warnings, warnings, p.Warnings())
	return view
}

func (p *page) span(t *trace.Trace, s *trace.Span, process string) spanView {
	view := spanView{
		TraceID: t.ID.String(), SpanID: pcommon.SpanID(s.ID).String(), Operation: p.Text(string(s.Data.Name)), References: []referenceView{},
		Flags: s.Data.Flags & 0xff, Start: s.Start / 1000, Duration: s.Duration() / 1000,
		Tags: p.tags(wire.SpanAttributes(s.Data.Body)), Logs: []logView{}, Process: process, Warnings: s.Flags.Names(),
	}
	if !s.ParentID.IsZero() {
		view.References = append(view.References, referenceView{"CHILD_OF", t.ID.String(), s.ParentID.String()})
	}
	for _, link := range s.Links {
		if !p.Item() {
			continue
		}
		view.References = append(view.References, referenceView{"FOLLOWS_FROM", link.Data.TraceID.String(), pcommon.SpanID(link.Data.SpanID).String()})
	}
	if s.Kind != wire.KindUnspecified {
		view.Tags = append(view.Tags, tagView{"span.kind", "string", trace.KindName(s.Kind)})
	}
	switch s.Data.Status {
	case wire.StatusError:
		view.Tags = append(view.Tags, tagView{"error", "bool", true}, tagView{"otel.status_code", "string", "ERROR"})
	case wire.StatusOK:
		view.Tags = append(view.Tags, tagView{"otel.status_code", "string", "OK"})
	}
	if message := p.Text(string(wire.StatusMessage(s.Data.Body))); message != "" {
		view.Tags = append(view.Tags, tagView{"otel.status_description", "string", message})
	}
	if scope := p.Text(s.Scope.Name); scope != "" {
		view.Tags = append(view.Tags, tagView{"otel.scope.name", "string", scope})
	}
	if version := p.Text(s.Scope.Version); version != "" {
		view.Tags = append(view.Tags, tagView{"otel.scope.version", "string", version})
	}
	view.Tags = append(view.Tags, p.scope(s.Scope)...)
	for event := range wire.SpanEvents(s.Data.Body) {
		if !p.Item() {
			continue
		}
		fields := append([]tagView{{"event", "string", p.Text(string(wire.EventName(event)))}}, p.tags(wire.EventAttributes(event))...)
		view.Logs = append(view.Logs, logView{wire.EventTime(event) / 1000, fields})
	}
	return view
}

// scope are the tags of a scope, which is read once.
func (p *page) scope(s *trace.Scope) []tagView {
	of, known := p.scopes[s]
	if !known {
		before := p.Spent()
		of.tags = p.tags(wire.ScopeAttributes(s.Header))
		of.bytes = p.Spent() - before
		p.scopes[s] = of
	} else if !p.Repeat(len(of.tags), of.bytes) {
		return nil
	}
	return of.tags
}

func (p *page) tags(of iter.Seq2[[]byte, wire.Value]) []tagView {
	attributes := wire.AttributeMap(of)
	tags := make([]tagView, 0, min(attributes.Len(), 1024))
	for key, value := range attributes.All() {
		if !p.Item() {
			continue
		}
		kind := "string"
		switch value.Type() {
		case pcommon.ValueTypeBool:
			kind = "bool"
		case pcommon.ValueTypeInt:
			kind = "int64"
		case pcommon.ValueTypeDouble:
			kind = "float64"
		case pcommon.ValueTypeBytes:
			kind = "binary"
		case pcommon.ValueTypeEmpty, pcommon.ValueTypeStr, pcommon.ValueTypeMap, pcommon.ValueTypeSlice:
		}
		var content any = p.Text(value.AsString())
		if kind != "string" && kind != "binary" {
			content = rest.Value(value)
			if _, text := content.(string); text { // JSON cannot hold the number
				kind = "string"
			}
		}
		tags = append(tags, tagView{p.Text(key), kind, content})
	}
	return tags
}
