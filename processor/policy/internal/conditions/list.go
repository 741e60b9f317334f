package conditions

import "github.com/slowburn/slowburn/internal/wire"

// list is a policy's list of conditions. Its bit is set once one of them has held.
type list struct {
	bit           int
	spans, events []*condition
	propagate     bool
	silent        bool
	errors        *evaluationErrors
}

// holds reports whether any condition holds for the span or an event of it.
func (cs *list) holds(c *Context) bool {
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

// any reports whether any condition of the list holds. failed reports that one failed and ended the list.
func (cs *list) any(conditions []*condition, c *Context) (held, failed bool) {
	for _, cond := range conditions {
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
