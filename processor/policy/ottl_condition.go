package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slowburn/slowburn/internal/wire"
)

// OTTLConditionConfig is for traces with a span for which any of the Span conditions holds, or with an event of a span
// for which any of the SpanEvent conditions does. They are written in the OpenTelemetry Transformation Language; a path
// without a context is one of the span, or of the event.
type OTTLConditionConfig struct {
	// ErrorMode says what becomes of a condition that cannot be evaluated for a span: with ignore and silent the next one
	// is looked at, and silent does not log; with propagate the policy is not for that span. Unset it is ignore.
	ErrorMode string   `mapstructure:"error_mode"`
	Span      []string `mapstructure:"span"`
	SpanEvent []string `mapstructure:"spanevent"`
}

// conditions is a policy's list of conditions, with a bit that is set once one of them held.
type conditions struct {
	bit           int
	spans, events []*condition
	propagate     bool
	silent        bool
	errors        *evaluationErrors
}

func (cfg *OTTLConditionConfig) compile(c *compiler) (rule, error) {
	mode := strings.ToLower(cfg.ErrorMode)
	var errs []error
	switch mode {
	case "":
		mode = "ignore"
	case "ignore", "propagate", "silent":
	default:
		errs = append(errs, fmt.Errorf("error_mode is %q; it must be ignore, propagate or silent", cfg.ErrorMode))
	}
	if len(cfg.Span)+len(cfg.SpanEvent) == 0 {
		errs = append(errs, errors.New("span and spanevent must list at least one condition between them"))
	}
	own := conditions{propagate: mode == "propagate", silent: mode == "silent", errors: c.errors}
	var err1, err2 error
	own.spans, err1 = c.parseConditions("span", cfg.Span)
	own.events, err2 = c.parseConditions("spanevent", cfg.SpanEvent)
	if err := errors.Join(append(errs, err1, err2)...); err != nil {
		return nil, err
	}
	bit, known := c.bit(fmt.Sprintf("ottl %s %q %q", mode, cfg.Span, cfg.SpanEvent))
	own.bit = bit
	if !known {
		c.ask(own)
	}
	return anyBit{bit}, nil
}

// ask has the conditions answered, those that only read the resource once for each resource. Where a failure ends the
// list this is only done if it is true of all.
func (c *compiler) ask(all conditions) {
	ofResource := func(cond *condition) bool { return cond.ofResource }
	if all.propagate && (len(all.events) > 0 || slices.ContainsFunc(all.spans, func(cond *condition) bool { return !cond.ofResource })) {
		c.conditions = append(c.conditions, all)
		return
	}
	resource := all
	resource.events, resource.spans = nil, nil
	for _, cond := range all.spans {
		if cond.ofResource {
			resource.spans = append(resource.spans, cond)
		}
	}
	all.spans = slices.DeleteFunc(all.spans, ofResource)
	if len(resource.spans) > 0 {
		c.resourceConditions = append(c.resourceConditions, resource)
	}
	if len(all.spans)+len(all.events) > 0 {
		c.conditions = append(c.conditions, all)
	}
}

// bitsOf returns the bits of the conditions, nil if there are none.
func (c *compiler) bitsOf(list []conditions) bitSet {
	if len(list) == 0 {
		return nil
	}
	b := make(bitSet, c.words)
	for i := range list {
		set(b, list[i].bit)
	}
	return b
}

// holds reports whether any condition holds for the span or an event of it.
func (cs *conditions) holds(c *spanContext) bool {
	held, failed := cs.any(cs.spans, c)
	if held || failed || len(cs.events) == 0 {
		return held
	}
	index := 0
	for event := range wire.SpanEvents(c.view.Body) {
		c.toEvent(event, index)
		if held, failed = cs.any(cs.events, c); held || failed {
			return held
		}
		index++
	}
	return false
}

// any reports whether any condition of the list holds, or that one failed and so ends the list.
func (cs *conditions) any(list []*condition, c *spanContext) (held, failed bool) {
	for _, cond := range list {
		held, err := cond.holds(c)
		if err != nil {
			cs.errors.add(cond.text, err, cs.silent)
			if cs.propagate {
				return false, true
			}
		} else if held {
			return true, false
		}
	}
	return false, false
}

// condition is one expression.
type condition struct {
	text     string
	evaluate func(c *spanContext) (bool, error)
	// inputs are what it reads, if its result depends on nothing else and is worth remembering.
	inputs  []input
	results *matchCache // nil if it is not
	// ofResource says that it depends on the resource alone.
	ofResource bool
}

// results is how many of them a condition remembers.
const results = 1 << 10 // 8 KiB

// holds evaluates the condition, unless its result for the same inputs is remembered. Errors are not.
func (cond *condition) holds(c *spanContext) (bool, error) {
	if cond.results == nil {
		return cond.evaluate(c)
	}
	c.scratch = c.scratch[:0]
	for _, in := range cond.inputs {
		c.scratch = in.append(c.scratch, c)
	}
	hash := cond.results.hash(c.scratch)
	if result, known := cond.results.get(hash); known {
		return result, nil
	}
	result, err := cond.evaluate(c)
	if err == nil {
		cond.results.put(hash, result)
	}
	return result, err
}
