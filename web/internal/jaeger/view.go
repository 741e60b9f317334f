package jaeger

import (
	"fmt"
	"iter"

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

// viewTrace renders the spans that arrived; Jaeger draws its own tree.
func viewTrace(t *trace.Trace) traceView {
	view := traceView{TraceID: t.ID.String(), Spans: []spanView{}, Processes: map[string]processView{}, Warnings: t.Warnings}
	for i := range t.Spans {
		s := &t.Spans[i]
		if s.Synthetic {
			continue
		}
		process := fmt.Sprintf("p%d", s.Resource+1)
		if _, ok := view.Processes[process]; !ok {
			view.Processes[process] = processView{s.Service, tagsOf(wire.ResourceAttributes(t.Resources[s.Resource].Header))}
		}
		view.Spans = append(view.Spans, viewSpan(t, s, process))
	}
	return view
}

func viewSpan(t *trace.Trace, s *trace.Span, process string) spanView {
	view := spanView{
		TraceID: t.ID.String(), SpanID: pcommon.SpanID(s.ID).String(), Operation: string(s.Data.Name), References: []referenceView{},
		Flags: s.Data.Flags & 0xff, Start: s.Start / 1000, Duration: s.Duration() / 1000,
		Tags: tagsOf(wire.SpanAttributes(s.Data.Body)), Logs: []logView{}, Process: process, Warnings: s.Flags.Names(),
	}
	if !s.ParentID.IsZero() {
		view.References = append(view.References, referenceView{"CHILD_OF", t.ID.String(), s.ParentID.String()})
	}
	for _, link := range s.Links {
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
	if message := string(wire.StatusMessage(s.Data.Body)); message != "" {
		view.Tags = append(view.Tags, tagView{"otel.status_description", "string", message})
	}
	if scope := s.Scope.Name; scope != "" {
		view.Tags = append(view.Tags, tagView{"otel.scope.name", "string", scope})
	}
	if version := s.Scope.Version; version != "" {
		view.Tags = append(view.Tags, tagView{"otel.scope.version", "string", version})
	}
	view.Tags = append(view.Tags, tagsOf(wire.ScopeAttributes(s.Scope.Header))...)
	for event := range wire.SpanEvents(s.Data.Body) {
		fields := append([]tagView{{"event", "string", string(wire.EventName(event))}}, tagsOf(wire.EventAttributes(event))...)
		view.Logs = append(view.Logs, logView{wire.EventTime(event) / 1000, fields})
	}
	return view
}

func tagsOf(of iter.Seq2[[]byte, wire.Value]) []tagView {
	attributes := wire.AttributeMap(of)
	tags := make([]tagView, 0, attributes.Len())
	for key, value := range attributes.All() {
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
		var content any = value.AsString()
		if kind != "string" && kind != "binary" {
			content = rest.Value(value)
			if _, text := content.(string); text { // JSON cannot hold the number
				kind = "string"
			}
		}
		tags = append(tags, tagView{key, kind, content})
	}
	return tags
}
