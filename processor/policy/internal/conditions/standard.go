package conditions

import (
	"context"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"go.opentelemetry.io/collector/component"
)

// standard is a standardParser: T is ottlspan's or ottlspanevent's context.
type standard[T any] struct {
	parser   ottl.Parser[T]
	context  string
	settings component.TelemetrySettings
	decoded  func(c *Context) (T, error)
}

func (s *standard[T]) condition(text string) (func(c *Context) (bool, error), error) {
	cond, err := parseCondition(s.parser, s.context, s.settings, text)
	if err != nil {
		return nil, err
	}
	return func(c *Context) (bool, error) {
		t, err := s.decoded(c)
		if err != nil {
			return false, err
		}
		return cond.Eval(context.Background(), t)
	}, nil
}

func (s *standard[T]) value(text string) (func(c *Context) (any, error), error) {
	expression, err := s.parser.ParseValueExpression(text)
	if err != nil {
		return nil, err
	}
	return func(c *Context) (any, error) {
		t, err := s.decoded(c)
		if err != nil {
			return nil, err
		}
		return expression.Eval(context.Background(), t)
	}, nil
}

// parseCondition parses a condition. Paths need not name their context if it is pathContext.
func parseCondition[T any](parser ottl.Parser[T], pathContext string, settings component.TelemetrySettings, text string) (*ottl.Condition[T], error) {
	first := func(_ *ottl.ParserCollection[*ottl.Condition[T]], _ ottl.ConditionsGetter, parsed []*ottl.Condition[T]) (*ottl.Condition[T], error) {
		return parsed[0], nil
	}
	collection, err := ottl.NewParserCollection(settings,
		ottl.WithParserCollectionContext(pathContext, &parser, ottl.WithConditionConverter(first)))
	if err != nil {
		return nil, err
	}
	return collection.ParseConditionsWithContext(pathContext, ottl.NewConditionsGetter([]string{text}), true)
}
