package conditions

import "github.com/slowburn/slowburn/processor/policy/internal/memo"

// condition is one expression.
type condition struct {
	text     string
	evaluate func(c *Context) (bool, error)
	// inputs are all that its result depends on, if they are known and the result is worth remembering.
	inputs  []input
	results *memo.Cache // nil if it is not worth it
	// ofResource reports whether it depends on the resource alone.
	ofResource bool
}

// results is the number of results that a condition remembers.
const results = 1 << 10 // 8 KiB

// holds reports whether the condition holds. It remembers results by inputs, but no errors.
func (cond *condition) holds(c *Context) (bool, error) {
	if cond.results == nil {
		return cond.evaluate(c)
	}
	c.scratch = c.scratch[:0]
	for _, in := range cond.inputs {
		c.scratch = in.append(c.scratch, c)
	}
	hash := cond.results.Hash(c.scratch)
	if result, known := cond.results.Get(hash); known {
		return result, nil
	}
	result, err := cond.evaluate(c)
	if err == nil {
		cond.results.Put(hash, result)
	}
	return result, err
}
