package conditions

import (
	"sync"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlspan"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlspanevent"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Context is what conditions are evaluated on: an encoded span and one of its events. A span is decoded when the
// first condition needs something that cannot be read in place.
type Context struct {
	view   *rule.SpanView
	own    rule.SpanView // the view for a resource alone
	values []wire.Value  // of attributes of the span, at the indexes that the builder gave to keys

	event      []byte // the Span.Event message
	eventIndex int

	scratch []byte // for the hash of inputs

	builder wire.Builder
	span    *ottlspan.TransformContext // decoded; nil until needed
	spans   ptrace.ResourceSpans       // holds the decoded span
	onEvent *ottlspanevent.TransformContext
}

// contextPool pools contexts. Its zero value is empty.
type contextPool struct{ pool sync.Pool }

// get returns a context for the span, with room for so many values.
func (p *contextPool) get(v *rule.SpanView, values int) *Context {
	c, _ := p.pool.Get().(*Context)
	if c == nil {
		c = &Context{}
	}
	if cap(c.values) < values {
		c.values = make([]wire.Value, values)
	}
	c.view, c.values = v, c.values[:values]
	return c
}

// ofResource returns a context for conditions that read only the resource.
func (p *contextPool) ofResource(resource []byte) *Context {
	c := p.get(nil, 0)
	c.own.Resource = resource
	c.view = &c.own
	return c
}

// put takes back a context, which must not keep the span's bytes alive.
func (p *contextPool) put(c *Context) {
	c.toEvent(nil, 0)
	if c.span != nil {
		c.span.Close()
		c.span, c.spans = nil, ptrace.ResourceSpans{}
		c.builder = wire.Builder{}
	}
	c.view, c.own = nil, rule.SpanView{}
	clear(c.values)
	p.pool.Put(c)
}

// toEvent makes an event of the span the current one.
func (c *Context) toEvent(event []byte, index int) {
	c.event, c.eventIndex = event, index
	if c.onEvent != nil {
		c.onEvent.Close()
		c.onEvent = nil
	}
}

// decoded returns the standard context on the span.
func (c *Context) decoded() (*ottlspan.TransformContext, error) {
	if c.span != nil {
		return c.span, nil
	}
	c.builder.Resource(wire.AppendResourceHeader(nil, c.view.Resource))
	c.builder.Scope(wire.AppendScopeHeader(nil, c.view.Scope))
	c.builder.Span(c.view.Body)
	var u ptrace.ProtoUnmarshaler
	td, err := u.UnmarshalTraces(c.builder.Bytes())
	if err != nil {
		return nil, err
	}
	c.spans = td.ResourceSpans().At(0)
	scope := c.spans.ScopeSpans().At(0)
	c.span = ottlspan.NewTransformContext(c.spans, scope, scope.Spans().At(0))
	return c.span, nil
}

// decodedEvent returns the standard context on the event.
func (c *Context) decodedEvent() (*ottlspanevent.TransformContext, error) {
	if c.onEvent != nil {
		return c.onEvent, nil
	}
	span, err := c.decoded()
	if err != nil {
		return nil, err
	}
	event := span.GetSpan().Events().At(c.eventIndex)
	c.onEvent = ottlspanevent.NewTransformContext(c.spans, c.spans.ScopeSpans().At(0), span.GetSpan(), event)
	return c.onEvent, nil
}
