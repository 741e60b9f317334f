package keep

import (
	"sync"
	"time"

	"github.com/slowburn/slowburn/slo/sli/internal/place"
)

// current is the generation in use. A holder of Keeper.turning may read it without mu. Flushes take mu only: they wait for a
// snapshot to be written, but not for its fsync.
type current struct {
	mu         sync.Mutex
	generation place.Generation // nil while counts are volatile
	checked    time.Time        // last full check, guarded by Keeper.turning
}

// mark marks the log, and reports whether it did. Without a generation there is nothing to mark, which counts as marked.
func (c *current) mark() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.generation == nil || c.generation.Mark()
}

// check returns what is wrong with the generation; all asks for a full check.
func (c *current) check(all bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation == nil {
		return nil
	}
	return c.generation.Check(all)
}

// take returns the generation, and ends its use.
func (c *current) take() place.Generation {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.generation
	c.generation = nil
	return g
}
