package conditions

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlspan"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlspanevent"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/policy/internal/memo"
)

// parsers parse conditions on spans and on events.
type parsers struct{ span, event *conditionParser }

// conditionParser parses the conditions on a span, or those on an event. It parses a condition twice: by OTTL's own
// parser, which decides what is valid and whose contexts read decoded spans, and for Context, which reads paths in
// place.
type conditionParser struct {
	place    func(key string) int // the index of an attribute's value in Context.values
	context  string               // the default context of paths
	standard standardParser
	own      func(condition string) (*ottl.Condition[*Context], error)

	// State of the condition that is being parsed:
	inputs  []input
	pure    bool // its result depends only on the inputs
	dynamic bool // Context cannot read one of its paths
}

// standardParser is OTTL's parser for one of its contexts, on the decoded span of a Context.
type standardParser interface {
	condition(text string) (func(c *Context) (bool, error), error)
	value(text string) (func(c *Context) (any, error), error)
}

// newParsers returns parsers that read an attribute of a span at its index in Context.values.
func newParsers(place func(key string) int) (*parsers, error) {
	settings := component.TelemetrySettings{Logger: zap.NewNop()}
	span := &conditionParser{place: place, context: ottlspan.ContextName}
	event := &conditionParser{place: place, context: ottlspanevent.ContextName}

	spanFuncs := ottlfuncs.StandardConverters[*ottlspan.TransformContext]()
	isRoot := ottlfuncs.NewIsRootSpanFactory()
	spanFuncs[isRoot.Name()] = isRoot
	ofSpan, err1 := ottlspan.NewParser(spanFuncs, settings, ottlspan.EnablePathContextNames())
	ofEvent, err2 := ottlspanevent.NewParser(ottlfuncs.StandardConverters[*ottlspanevent.TransformContext](), settings,
		ottlspanevent.EnablePathContextNames())
	err3 := span.init(settings, span.isRootSpan())
	err4 := event.init(settings)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	span.standard = &standard[*ottlspan.TransformContext]{ofSpan, ottlspan.ContextName, settings, (*Context).decoded}
	event.standard = &standard[*ottlspanevent.TransformContext]{ofEvent, ottlspanevent.ContextName, settings, (*Context).decodedEvent}
	return &parsers{span, event}, nil
}

// init creates the parser for Context, with the converters and these other functions.
func (p *conditionParser) init(settings component.TelemetrySettings, functions ...ottl.Factory[*Context]) error {
	all := ottlfuncs.StandardConverters[*Context]()
	for _, f := range functions {
		all[f.Name()] = f
	}
	for _, name := range impure {
		all[name] = p.noteImpure(all[name])
	}
	contexts := []string{"span", "resource", "instrumentation_scope", "scope", "otelcol"}
	if p.context == ottlspanevent.ContextName {
		contexts = append(contexts, ottlspanevent.ContextName)
	}
	parser, err := ottl.NewParser(all, p.path, settings, ottl.WithEnumParser[*Context](enum),
		ottl.WithPathContextNames[*Context](contexts))
	if err != nil {
		return err
	}
	p.own = func(text string) (*ottl.Condition[*Context], error) {
		return parseCondition(parser, p.context, settings, text)
	}
	return nil
}

// impure are the functions whose results do not depend on their arguments alone.
var impure = []string{"Now", "UUID", "UUIDv7"}

func (p *conditionParser) noteImpure(f ottl.Factory[*Context]) ottl.Factory[*Context] {
	create := func(ctx ottl.FunctionContext, args ottl.Arguments) (ottl.ExprFunc[*Context], error) {
		p.pure = false
		return f.CreateFunction(ctx, args)
	}
	return ottl.NewFactory(f.Name(), f.CreateDefaultArguments(), create)
}

func (p *conditionParser) isRootSpan() ottl.Factory[*Context] {
	create := func(ottl.FunctionContext, ottl.Arguments) (ottl.ExprFunc[*Context], error) {
		p.inputs = append(p.inputs, rootInput)
		return func(_ context.Context, c *Context) (any, error) { return c.view.Span.ParentID.IsZero(), nil }, nil
	}
	return ottl.NewFactory(ottlfuncs.NewIsRootSpanFactory().Name(), nil, create)
}

func (p *conditionParser) parse(text string) (*condition, error) {
	decoded, err := p.standard.condition(text)
	if err != nil {
		return nil, err
	}
	p.inputs, p.pure, p.dynamic = nil, true, false
	own, err := p.own(text)
	if err != nil || p.dynamic {
		return &condition{text: text, evaluate: decoded}, nil //nolint:nilerr // it is evaluated on the decoded span
	}
	cond := &condition{text: text, inputs: p.inputs}
	cond.evaluate = func(c *Context) (bool, error) { return own.Eval(context.Background(), c) }
	if !p.pure {
		return cond, nil
	}
	cond.ofResource = p.context == ottlspan.ContextName && !slices.ContainsFunc(p.inputs, func(in input) bool { return !in.ofResource })
	if !slices.ContainsFunc(p.inputs, func(in input) bool { return in.append == nil }) {
		cond.results = memo.New(results)
	}
	return cond, nil
}

// path returns a getter for a path.
func (p *conditionParser) path(path ottl.Path[*Context]) (ottl.GetSetter[*Context], error) {
	text, literal := textOf(path)
	if !literal {
		p.dynamic = true
		return readOnly(nil), nil
	}
	decoded, err := p.standard.value(text)
	if err != nil {
		return nil, err
	}
	in := inPlace(path, p.place)
	in.ofResource = path.Context() == "resource"
	p.inputs = append(p.inputs, in)
	if in.read == nil {
		return readOnly(decoded), nil
	}
	return readOnly(func(c *Context) (any, error) {
		if v, ok := in.read(c); ok {
			return v, nil
		}
		return decoded(c)
	}), nil
}

// readOnly returns a getter for a path of a condition: conditions have no functions that write.
func readOnly(read func(c *Context) (any, error)) ottl.GetSetter[*Context] {
	return ottl.StandardGetSetter[*Context]{
		Getter: func(_ context.Context, c *Context) (any, error) { return read(c) },
		Setter: func(context.Context, *Context, any) error { return errors.New("conditions cannot write") },
	}
}

// textOf returns the path as it is written in OTTL. literal is false if there is an expression among its
// keys.
func textOf(path ottl.Path[*Context]) (text string, literal bool) {
	var b strings.Builder
	b.WriteString(path.Context())
	for ; path != nil; path = path.Next() {
		b.WriteString("." + path.Name())
		for _, key := range path.Keys() {
			s, i := literalKey(key)
			switch {
			case s != nil:
				b.WriteString("[" + strconv.Quote(*s) + "]")
			case i != nil:
				b.WriteString("[" + strconv.FormatInt(*i, 10) + "]")
			default:
				return "", false
			}
		}
	}
	return b.String(), true
}
