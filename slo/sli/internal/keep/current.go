package keep

import (
	"sync"
	"time"

	"github.com/slowburn/slowburn/slo/sli/internal/place"
)

// current is the generation in use. Whoever holds Keeper.turning may read it without the lock, which flushes take alone: they
// wait for a snapshot, but not for the disk that it is flushed to.
type current struct {
	mu         sync.Mutex
	generation place.Generation // nil while counts are volatile
	checked    time.Time        // when all of it was. Keeper.turning guards it
}

// mark reports whether the log is marked. What would not survive anyway needs no mark.
func (c *current) mark() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.generation == nil || c.generation.Mark()
}

// check reports what is wrong with the generation; all asks for more than a glance.
func (c *current) check(all bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation == nil {
		return nil
	}
	return c.generation.Check(all)
}

// take returns the generation, which is in use no more.
func (c *current) take() place.Generation {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.generation
	c.generation = nil
	return g
}
