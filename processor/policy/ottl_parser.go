package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlspan"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlspanevent"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
)

// ottlParsers are the parsers for conditions on spans and on events.
type ottlParsers struct{ span, event *conditionParser }

// conditionParser parses the conditions on a span, or those on an event. A condition is parsed twice: by OTTL's own
// parser, which says what is valid and whose contexts read decoded spans, and for spanContext, so that paths are read
// where they are.
type conditionParser struct {
	compiler *compiler
	context  string // of paths without one
	standard standardParser
	own      func(condition string) (*ottl.Condition[*spanContext], error)

	// What is known of the condition that is being parsed:
	inputs  []input
	pure    bool // the inputs are all that its result depends on
	dynamic bool // it has a path that spanContext cannot stand for
}

// standardParser is OTTL's parser for a context of its own, on the decoded span of a spanContext.
type standardParser interface {
	condition(text string) (func(c *spanContext) (bool, error), error)
	value(text string) (func(c *spanContext) (any, error), error)
}

// parseConditions parses the list under the key, which is the name of the context too. All errors are joined.
func (c *compiler) parseConditions(key string, list []string) (parsed []*condition, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	if c.ottl == nil {
		if c.ottl, err = newParsers(c); err != nil {
			return nil, err
		}
	}
	p := c.ottl.span
	if key == ottlspanevent.ContextName {
		p = c.ottl.event
	}
	var errs []error
	for i, text := range list {
		cond, err := p.parse(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %w", key, i, err))
			continue
		}
		parsed = append(parsed, cond)
	}
	return parsed, errors.Join(errs...)
}

func newParsers(c *compiler) (*ottlParsers, error) {
	settings := component.TelemetrySettings{Logger: zap.NewNop()}
	span := &conditionParser{compiler: c, context: ottlspan.ContextName}
	event := &conditionParser{compiler: c, context: ottlspanevent.ContextName}

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
	span.standard = &standard[*ottlspan.TransformContext]{ofSpan, ottlspan.ContextName, settings, (*spanContext).decoded}
	event.standard = &standard[*ottlspanevent.TransformContext]{ofEvent, ottlspanevent.ContextName, settings, (*spanContext).decodedEvent}
	return &ottlParsers{span, event}, nil
}

// init makes the parser for spanContext, with the converters and these other functions.
func (p *conditionParser) init(settings component.TelemetrySettings, functions ...ottl.Factory[*spanContext]) error {
	all := ottlfuncs.StandardConverters[*spanContext]()
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
	parser, err := ottl.NewParser(all, p.path, settings, ottl.WithEnumParser[*spanContext](enum),
		ottl.WithPathContextNames[*spanContext](contexts))
	if err != nil {
		return err
	}
	p.own = func(text string) (*ottl.Condition[*spanContext], error) {
		return parseCondition(parser, p.context, settings, text)
	}
	return nil
}

// impure are the functions whose results are not determined by their arguments.
var impure = []string{"Now", "UUID", "UUIDv7"}

func (p *conditionParser) noteImpure(f ottl.Factory[*spanContext]) ottl.Factory[*spanContext] {
	create := func(ctx ottl.FunctionContext, args ottl.Arguments) (ottl.ExprFunc[*spanContext], error) {
		p.pure = false
		return f.CreateFunction(ctx, args)
	}
	return ottl.NewFactory(f.Name(), f.CreateDefaultArguments(), create)
}

func (p *conditionParser) isRootSpan() ottl.Factory[*spanContext] {
	create := func(ottl.FunctionContext, ottl.Arguments) (ottl.ExprFunc[*spanContext], error) {
		p.inputs = append(p.inputs, rootInput)
		return func(_ context.Context, c *spanContext) (any, error) { return c.view.Span.ParentID.IsZero(), nil }, nil
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
		return &condition{text: text, evaluate: decoded}, nil //nolint:nilerr // what cannot be read in place is read from the span decoded
	}
	cond := &condition{text: text, inputs: p.inputs}
	cond.evaluate = func(c *spanContext) (bool, error) { return own.Eval(context.Background(), c) }
	if !p.pure {
		return cond, nil
	}
	cond.ofResource = p.context == ottlspan.ContextName && !slices.ContainsFunc(p.inputs, func(in input) bool { return !in.ofResource })
	if !slices.ContainsFunc(p.inputs, func(in input) bool { return in.append == nil }) {
		cond.results = newMatchCache(results)
	}
	return cond, nil
}

// path returns what reads a path.
func (p *conditionParser) path(path ottl.Path[*spanContext]) (ottl.GetSetter[*spanContext], error) {
	text, literal := textOf(path)
	if !literal {
		p.dynamic = true
		return readOnly(nil), nil
	}
	decoded, err := p.standard.value(text)
	if err != nil {
		return nil, err
	}
	in := p.inPlace(path)
	in.ofResource = path.Context() == "resource"
	p.inputs = append(p.inputs, in)
	if in.read == nil {
		return readOnly(decoded), nil
	}
	return readOnly(func(c *spanContext) (any, error) {
		if v, ok := in.read(c); ok {
			return v, nil
		}
		return decoded(c)
	}), nil
}

// readOnly is a path of a condition: none of the functions that write can be used in one.
func readOnly(read func(c *spanContext) (any, error)) ottl.GetSetter[*spanContext] {
	return ottl.StandardGetSetter[*spanContext]{
		Getter: func(_ context.Context, c *spanContext) (any, error) { return read(c) },
		Setter: func(context.Context, *spanContext, any) error { return errors.New("conditions cannot write") },
	}
}

// textOf writes the path as it is written in OTTL, unless an expression is among its keys.
func textOf(path ottl.Path[*spanContext]) (text string, literal bool) {
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

// literalKey returns the key if it is a string or an integer.
func literalKey(key ottl.Key[*spanContext]) (*string, *int64) {
	s, err1 := key.String(context.Background(), nil)
	i, err2 := key.Int(context.Background(), nil)
	if err1 != nil || err2 != nil {
		return nil, nil
	}
	return s, i
}
