package conditions

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// input is a part of a span that a condition reads.
type input struct {
	// read returns the value as OTTL's own contexts do, or false if only the decoded span has it. It is nil if that is
	// always so.
	read func(c *Context) (v any, ok bool)
	// append appends the value to a key, so that different values make different keys. It is nil if equal values are
	// rare.
	append func(key []byte, c *Context) []byte
	// ofResource reports whether it is the same for all spans of a resource.
	ofResource bool
}

// rootInput is the input of IsRootSpan.
var rootInput = input{append: func(key []byte, c *Context) []byte {
	if c.view.Span.ParentID.IsZero() {
		return append(key, 1)
	}
	return append(key, 0)
}}

// inPlace returns the input for a path with literal keys. place returns the index of the value of a span's attribute.
func inPlace(path ottl.Path[*Context], place func(key string) int) input {
	name := path.Context() + "." + path.Name()
	keys := path.Keys()
	if next := path.Next(); next != nil {
		name += "." + next.Name()
		keys = append(keys, next.Keys()...)
	}
	switch len(keys) {
	case 0:
		return plainPaths[name]
	case 1:
		if key, _ := literalKey(keys[0]); key != nil {
			return attributeInput(name, *key, place)
		}
	}
	return input{}
}

// literalKey returns the key if it is a string or an integer.
func literalKey(key ottl.Key[*Context]) (*string, *int64) {
	s, err1 := key.String(context.Background(), nil)
	i, err2 := key.Int(context.Background(), nil)
	if err1 != nil || err2 != nil {
		return nil, nil
	}
	return s, i
}

// attributeInput returns the input for an attribute of the path's object.
func attributeInput(path, key string, place func(key string) int) input {
	switch path {
	case "span.attributes":
		i := place(key)
		return valueInput(func(c *Context) wire.Value { return c.values[i] })
	case "resource.attributes":
		return valueInput(func(c *Context) wire.Value {
			v, _ := c.view.ResourceAttribute(key)
			return v
		})
	case "scope.attributes", "instrumentation_scope.attributes":
		return valueInput(func(c *Context) wire.Value {
			v, _ := wire.ScopeAttribute(c.view.Scope, key)
			return v
		})
	case "spanevent.attributes":
		return valueInput(func(c *Context) wire.Value {
			v, _ := wire.EventAttribute(c.event, key)
			return v
		})
	}
	return input{}
}

// plainPaths are the paths without keys that are read in place. Their values have the pcommon or Go types of the
// standard contexts.
var plainPaths = map[string]input{
	"span.name":           textInput((*rule.SpanView).Name),
	"span.trace_state":    textInput((*rule.SpanView).TraceState),
	"span.status.message": textInput(func(v *rule.SpanView) []byte { return wire.StatusMessage(v.Body) }),
	"span.status.code":    numberInput(func(s *wire.Span) int64 { return int64(s.Status) }),
	"span.flags":          numberInput(func(s *wire.Span) int64 { return int64(s.Flags) }),
	"span.kind":           numberInput(kindOf),
	"span.kind.string":    {read: kindName, append: numberInput(kindOf).append},

	"span.trace_id":              spanInput(func(s *wire.Span) any { return pcommon.TraceID(s.TraceID) }),
	"span.trace_id.string":       spanInput(func(s *wire.Span) any { return s.TraceID.String() }),
	"span.span_id":               spanInput(func(s *wire.Span) any { return pcommon.SpanID(s.ID) }),
	"span.span_id.string":        spanInput(func(s *wire.Span) any { return s.ID.String() }),
	"span.parent_span_id":        spanInput(func(s *wire.Span) any { return pcommon.SpanID(s.ParentID) }),
	"span.parent_span_id.string": spanInput(func(s *wire.Span) any { return s.ParentID.String() }),
	"span.start_time":            spanInput(func(s *wire.Span) any { return pcommon.Timestamp(s.Start).AsTime() }),
	"span.end_time":              spanInput(func(s *wire.Span) any { return pcommon.Timestamp(s.End).AsTime() }),
	"span.start_time_unix_nano":  spanInput(func(s *wire.Span) any { return int64(s.Start) }),
	"span.end_time_unix_nano":    spanInput(func(s *wire.Span) any { return int64(s.End) }),

	"scope.name":                    textInput(scopeName),
	"scope.version":                 textInput(scopeVersion),
	"instrumentation_scope.name":    textInput(scopeName),
	"instrumentation_scope.version": textInput(scopeVersion),

	"spanevent.name": {
		read:   func(c *Context) (any, bool) { return string(wire.EventName(c.event)), true },
		append: func(key []byte, c *Context) []byte { return appendText(key, wire.EventName(c.event)) },
	},
	"spanevent.time": {read: func(c *Context) (any, bool) {
		return pcommon.Timestamp(wire.EventTime(c.event)).AsTime(), true
	}},
	"spanevent.time_unix_nano": {read: func(c *Context) (any, bool) { return int64(wire.EventTime(c.event)), true }},
}

func scopeName(v *rule.SpanView) []byte    { return wire.ScopeName(v.Scope) }
func scopeVersion(v *rule.SpanView) []byte { return wire.ScopeVersion(v.Scope) }
func kindOf(s *wire.Span) int64            { return int64(s.Kind) }

func kindName(c *Context) (any, bool) { return ptrace.SpanKind(c.view.Span.Kind).String(), true }

func spanInput(read func(s *wire.Span) any) input {
	return input{read: func(c *Context) (any, bool) { return read(c.view.Span), true }}
}

func textInput(read func(v *rule.SpanView) []byte) input {
	return input{
		read:   func(c *Context) (any, bool) { return string(read(c.view)), true },
		append: func(key []byte, c *Context) []byte { return appendText(key, read(c.view)) },
	}
}

func numberInput(read func(s *wire.Span) int64) input {
	return input{
		read: func(c *Context) (any, bool) { return read(c.view.Span), true },
		append: func(key []byte, c *Context) []byte {
			return binary.LittleEndian.AppendUint64(key, uint64(read(c.view.Span)))
		},
	}
}

func valueInput(read func(c *Context) wire.Value) input {
	return input{
		read:   func(c *Context) (any, bool) { return plain(read(c)) },
		append: func(key []byte, c *Context) []byte { return appendInput(key, read(c)) },
	}
}

// plain returns a value as OTTL's contexts do. It returns false for a list or map, which only the decoded
// span has.
func plain(v wire.Value) (any, bool) {
	switch v.Kind() {
	case wire.Empty: // also for a missing attribute
		return nil, true
	case wire.String:
		return string(v.Bytes()), true
	case wire.Bool:
		return v.Bool(), true
	case wire.Int:
		return v.Int(), true
	case wire.Double:
		return v.Double(), true
	case wire.Bytes:
		return append([]byte(nil), v.Bytes()...), true // as pdata does: nil if it is empty
	}
	return nil, false
}

func appendInput(key []byte, v wire.Value) []byte {
	return appendText(append(key, byte(v.Kind())), v.Content())
}

func appendText(key, text []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(key, uint32(len(text))), text...)
}

// enums are OTTL's names for numbers of spans.
var enums = map[ottl.EnumSymbol]ottl.Enum{
	"SPAN_KIND_UNSPECIFIED": ottl.Enum(ptrace.SpanKindUnspecified),
	"SPAN_KIND_INTERNAL":    ottl.Enum(ptrace.SpanKindInternal),
	"SPAN_KIND_SERVER":      ottl.Enum(ptrace.SpanKindServer),
	"SPAN_KIND_CLIENT":      ottl.Enum(ptrace.SpanKindClient),
	"SPAN_KIND_PRODUCER":    ottl.Enum(ptrace.SpanKindProducer),
	"SPAN_KIND_CONSUMER":    ottl.Enum(ptrace.SpanKindConsumer),
	"STATUS_CODE_UNSET":     ottl.Enum(ptrace.StatusCodeUnset),
	"STATUS_CODE_OK":        ottl.Enum(ptrace.StatusCodeOk),
	"STATUS_CODE_ERROR":     ottl.Enum(ptrace.StatusCodeError),
}

func enum(symbol *ottl.EnumSymbol) (*ottl.Enum, error) {
	if symbol != nil {
		if e, ok := enums[*symbol]; ok {
			return &e, nil
		}
	}
	return nil, fmt.Errorf("no such enum")
}
