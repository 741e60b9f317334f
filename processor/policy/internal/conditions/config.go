package conditions

import (
	"errors"
	"fmt"
	"strings"

	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Config matches traces with a span for which any of the Span conditions holds, or with an event for which any of the
// SpanEvent conditions holds. They are written in the OpenTelemetry Transformation Language. A path without a context
// belongs to the span, or to the event.
type Config struct {
	// ErrorMode says what follows when evaluating a condition for a span fails: with ignore and silent the next condition
	// is evaluated, and silent does not log; with propagate the policy does not match that span. The default is ignore.
	ErrorMode string   `mapstructure:"error_mode"`
	Span      []string `mapstructure:"span"`
	SpanEvent []string `mapstructure:"spanevent"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (b *Builder) Compile(cfg *Config) (rule.Node, error) {
	mode := strings.ToLower(cfg.ErrorMode)
	var errs []error
	switch mode {
	case "":
		mode = "ignore"
	case "ignore", "propagate", "silent":
	default:
		errs = append(errs, fmt.Errorf("error_mode: %q is not one of ignore, propagate, silent", cfg.ErrorMode))
	}
	if len(cfg.Span)+len(cfg.SpanEvent) == 0 {
		errs = append(errs, errors.New("span: is empty, and so is spanevent; write at least one condition under one of them"))
	}
	own := list{propagate: mode == "propagate", silent: mode == "silent", errors: b.errors}
	var err1, err2 error
	own.spans, err1 = b.parse("span", cfg.Span)
	own.events, err2 = b.parse("spanevent", cfg.SpanEvent)
	if err := errors.Join(append(errs, err1, err2)...); err != nil {
		return rule.Node{}, err
	}
	bit, known := b.questions.Bit(fmt.Sprintf("ottl %s %q %q", mode, cfg.Span, cfg.SpanEvent))
	own.bit = bit
	if !known {
		b.add(own)
	}
	return rule.Node{Rule: rule.AnyBit{bit}}, nil
}
