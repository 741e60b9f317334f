package conditions

import "github.com/slowburn/slowburn/processor/policy/internal/memo"

// condition is one expression.
type condition struct {
	text     string
	evaluate func(c *Context) (bool, error)
	// inputs are what it reads, if its result depends on nothing else and is worth remembering.
	inputs  []input
	results *memo.Cache // nil if it is not
	// ofResource says that it depends on the resource alone.
	ofResource bool
}

// results is how many of them a condition remembers.
const results = 1 << 10 // 8 KiB

// holds evaluates the condition, unless its result for the same inputs is remembered. Errors are not.
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
