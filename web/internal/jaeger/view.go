package jaeger

import (
	"iter"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// page writes an answer, whose traces share its limits. Times are not corrected, as in Jaeger itself.
type page struct {
	*rest.Page
	trace  *trace.Trace
	scopes map[*trace.Scope]int // number of attributes
}

// writeTrace writes the spans that arrived, without synthetic ones, as Jaeger builds its own tree. The trace's warnings say what
// was left out for lack of room.
func writeTrace(to *rest.Page, t *trace.Trace) {
	p := page{to, t, map[*trace.Scope]int{}}
	shown, warnings := p.Spans(len(t.Spans))
	p.Object(func() {
		p.Key("traceID").Plain(t.ID.String())
		p.Key("processes").Object(func() { p.processes(shown) })
		p.Key("spans").Array(func() {
			for i := 0; i < shown && p.Err() == nil; i++ {
				if s := &t.Spans[i]; !s.Synthetic {
					p.Object(func() { p.span(s) })
				}
			}
		})
		p.Key("warnings").Strings(slices.Concat(t.Warnings, warnings, p.Warnings()))
	})
}

// processes writes the resources of the spans that are shown, each with the service of its first span.
func (p *page) processes(shown int) {
	seen := make([]bool, len(p.trace.Resources))
	for i := range p.trace.Spans[:shown] {
		s := &p.trace.Spans[i]
		if s.Synthetic || seen[s.Resource] {
			continue
		}
		seen[s.Resource] = true
		p.Key(process(s)).Object(func() {
			p.Key("serviceName").Text(s.Service)
			p.Key("tags").Array(func() { p.tags(wire.ResourceAttributes(p.trace.Resources[s.Resource].Header)) })
		})
	}
}

// process returns the key of a span's resource.
func process(s *trace.Span) string { return "p" + strconv.Itoa(s.Resource+1) }

// span writes the fields of a span.
func (p *page) span(s *trace.Span) {
	p.Key("traceID").Plain(p.trace.ID.String())
	p.Key("spanID").Plain(pcommon.SpanID(s.ID).String())
	p.Key("operationName").Bytes(s.Data.Name)
	p.Key("references").Array(func() {
		if !s.ParentID.IsZero() {
			p.reference("CHILD_OF", p.trace.ID, s.ParentID)
		}
		for _, link := range s.Links {
			if p.Item() {
				p.reference("FOLLOWS_FROM", link.Data.TraceID, link.Data.SpanID)
			}
		}
	})
	p.Key("flags").Int(int64(s.Data.Flags & 0xff))
	p.Key("startTime").Int(int64(s.Start / 1000)) // Unix microseconds
	p.Key("duration").Int(int64(s.Duration() / 1000))
	p.Key("tags").Array(func() { p.spanTags(s) })
	p.Key("logs").Array(func() { p.logs(s) })
	p.Key("processID").Plain(process(s))
	p.Key("warnings").Strings(s.Flags.Names())
}

func (p *page) reference(kind string, traceID wire.TraceID, spanID wire.SpanID) {
	p.Object(func() {
		p.Key("refType").Plain(kind)
		p.Key("traceID").Plain(traceID.String())
		p.Key("spanID").Plain(pcommon.SpanID(spanID).String())
	})
}

// spanTags writes a span's attributes, the fields that Jaeger has as tags, and the attributes of the span's scope.
func (p *page) spanTags(s *trace.Span) {
	p.tags(wire.SpanAttributes(s.Data.Body))
	if s.Kind != wire.KindUnspecified {
		p.tag("span.kind", trace.KindName(s.Kind))
	}
	switch s.Data.Status {
	case wire.StatusError:
		p.Object(func() {
			p.Key("key").Plain("error")
			p.Key("type").Plain("bool")
			p.Key("value").Bool(true)
		})
		p.tag("otel.status_code", "ERROR")
	case wire.StatusOK:
		p.tag("otel.status_code", "OK")
	}
	if message := wire.StatusMessage(s.Data.Body); len(message) > 0 {
		p.tagBytes("otel.status_description", message)
	}
	if s.Scope.Name != "" {
		p.tag("otel.scope.name", s.Scope.Name)
	}
	if s.Scope.Version != "" {
		p.tag("otel.scope.version", s.Scope.Version)
	}
	p.scopeTags(s.Scope)
}

// maxScopeTags is how many attributes of its scope each span shows. The gateway adds a few, and many spans share a scope.
const maxScopeTags = 64

// scopeTags writes the attributes of a scope, and reads only those that it shows.
func (p *page) scopeTags(s *trace.Scope) {
	all, known := p.scopes[s]
	if !known {
		for range wire.ScopeAttributes(s.Header) {
			all++
		}
		p.scopes[s] = all
	}
	if all > maxScopeTags {
		p.Omit(all - maxScopeTags)
	}
	p.tags(func(yield func([]byte, wire.Value) bool) {
		n := 0
		for key, value := range wire.ScopeAttributes(s.Header) {
			if n++; n > maxScopeTags || !yield(key, value) {
				return
			}
		}
	})
}

// logs writes a span's events.
func (p *page) logs(s *trace.Span) {
	for event := range wire.SpanEvents(s.Data.Body) {
		if !p.Item() {
			continue
		}
		p.Object(func() {
			p.Key("timestamp").Int(int64(wire.EventTime(event) / 1000)) // Unix microseconds
			p.Key("fields").Array(func() {
				p.tagBytes("event", wire.EventName(event))
				p.tags(wire.EventAttributes(event))
			})
		})
	}
}

// tag writes a tag with a string value.
func (p *page) tag(key, value string) {
	p.Object(func() {
		p.Key("key").Plain(key)
		p.Key("type").Plain("string")
		p.Key("value").Text(value)
	})
}

func (p *page) tagBytes(key string, value []byte) {
	p.Object(func() {
		p.Key("key").Plain(key)
		p.Key("type").Plain("string")
		p.Key("value").Bytes(value)
	})
}

// tags writes attributes. Arrays and maps, which Jaeger lacks, are written as JSON strings.
func (p *page) tags(attributes iter.Seq2[[]byte, wire.Value]) {
	for key, value := range attributes {
		if !p.Item() {
			continue
		}
		p.Object(func() {
			p.Key("key").Bytes(key)
			p.Key("type").Plain(typeOf(value))
			p.Key("value")
			switch value.Kind() {
			case wire.Array, wire.KvList:
				p.Nested(value)
			case wire.Empty:
				p.Plain("")
			default:
				p.Value(value)
			}
		})
	}
}

// typeOf returns Jaeger's name of the type as which a value is written: string for a number that JSON cannot hold.
func typeOf(v wire.Value) string {
	switch v.Kind() {
	case wire.Bool:
		return "bool"
	case wire.Int:
		if rest.Exact(v) {
			return "int64"
		}
	case wire.Double:
		if rest.Exact(v) {
			return "float64"
		}
	case wire.Bytes:
		return "binary"
	}
	return "string"
}
