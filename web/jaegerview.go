package web

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace"
)

// jaegerTraceView is a trace in the JSON of Jaeger's query API, with raw times, as Jaeger itself would have it.
type jaegerTraceView struct {
	TraceID   string                   `json:"traceID"`
	Spans     []jaegerSpan             `json:"spans"`
	Processes map[string]jaegerProcess `json:"processes"`
	Warnings  []string                 `json:"warnings"`
}

type jaegerSpan struct {
	TraceID    string            `json:"traceID"`
	SpanID     string            `json:"spanID"`
	Operation  string            `json:"operationName"`
	References []jaegerReference `json:"references"`
	Flags      uint32            `json:"flags"`
	Start      uint64            `json:"startTime"` // Unix microseconds
	Duration   uint64            `json:"duration"`  // microseconds
	Tags       []jaegerTag       `json:"tags"`
	Logs       []jaegerLog       `json:"logs"`
	Process    string            `json:"processID"`
	Warnings   []string          `json:"warnings"`
}

type jaegerReference struct {
	Type    string `json:"refType"`
	TraceID string `json:"traceID"`
	SpanID  string `json:"spanID"`
}

type jaegerTag struct {
	Key   string `json:"key"`
	Type  string `json:"type"`
	Value any    `json:"value"`
}

type jaegerLog struct {
	Time   uint64      `json:"timestamp"` // Unix microseconds
	Fields []jaegerTag `json:"fields"`
}

type jaegerProcess struct {
	Service string      `json:"serviceName"`
	Tags    []jaegerTag `json:"tags"`
}

// viewJaeger renders the spans that arrived; Jaeger draws its own tree.
func viewJaeger(t *trace.Trace) jaegerTraceView {
	view := jaegerTraceView{TraceID: t.ID.String(), Spans: []jaegerSpan{}, Processes: map[string]jaegerProcess{}, Warnings: t.Warnings}
	for i := range t.Spans {
		span := &t.Spans[i]
		if span.Synthetic {
			continue
		}
		process := fmt.Sprintf("p%d", span.Resource+1)
		if _, ok := view.Processes[process]; !ok {
			view.Processes[process] = jaegerProcess{span.Service, jaegerTags(t.Resources[span.Resource].Attributes())}
		}
		view.Spans = append(view.Spans, viewJaegerSpan(t, span, process))
	}
	return view
}

func viewJaegerSpan(t *trace.Trace, s *trace.Span, process string) jaegerSpan {
	view := jaegerSpan{
		TraceID: t.ID.String(), SpanID: s.ID.String(), Operation: s.Data.Name(), References: []jaegerReference{},
		Flags: s.Data.Flags() & 0xff, Start: s.Start / 1000, Duration: s.Duration() / 1000,
		Tags: jaegerTags(s.Data.Attributes()), Logs: []jaegerLog{}, Process: process, Warnings: s.Flags.Names(),
	}
	if !s.ParentID.IsEmpty() {
		view.References = append(view.References, jaegerReference{"CHILD_OF", t.ID.String(), s.ParentID.String()})
	}
	for _, link := range s.Links {
		view.References = append(view.References, jaegerReference{"FOLLOWS_FROM", link.Data.TraceID().String(), link.Data.SpanID().String()})
	}
	if s.Kind != ptrace.SpanKindUnspecified {
		view.Tags = append(view.Tags, jaegerTag{"span.kind", "string", strings.ToLower(s.Kind.String())})
	}
	switch s.Data.Status().Code() {
	case ptrace.StatusCodeError:
		view.Tags = append(view.Tags, jaegerTag{"error", "bool", true}, jaegerTag{"otel.status_code", "string", "ERROR"})
	case ptrace.StatusCodeOk:
		view.Tags = append(view.Tags, jaegerTag{"otel.status_code", "string", "OK"})
	case ptrace.StatusCodeUnset:
	}
	if message := s.Data.Status().Message(); message != "" {
		view.Tags = append(view.Tags, jaegerTag{"otel.status_description", "string", message})
	}
	if scope := s.Scope.Name(); scope != "" {
		view.Tags = append(view.Tags, jaegerTag{"otel.scope.name", "string", scope})
	}
	if version := s.Scope.Version(); version != "" {
		view.Tags = append(view.Tags, jaegerTag{"otel.scope.version", "string", version})
	}
	for _, event := range s.Data.Events().All() {
		fields := append([]jaegerTag{{"event", "string", event.Name()}}, jaegerTags(event.Attributes())...)
		view.Logs = append(view.Logs, jaegerLog{uint64(event.Timestamp()) / 1000, fields})
	}
	return view
}

func jaegerTags(attributes pcommon.Map) []jaegerTag {
	tags := make([]jaegerTag, 0, attributes.Len())
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
			content = valueJSON(value)
			if _, text := content.(string); text { // JSON cannot hold the number
				kind = "string"
			}
		}
		tags = append(tags, jaegerTag{key, kind, content})
	}
	return tags
}
