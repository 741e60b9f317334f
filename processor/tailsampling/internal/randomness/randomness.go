// Package randomness notices trace IDs that are not random where W3C Trace Context says that they are, in their last 7 bytes, which
// decisions by chance and the weights of kept traces rely on.
//
// Its types are Counts (what a shard has seen, under its mutex) and Watch (which judges those of all shards, and says so).
package randomness

import (
	"encoding/binary"
	"math"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
)

const (
	// values is how many values the bits have that are looked at together. bits is how many bits that is.
	values, bits = 1 << width, 56
	width        = 6
	// places is how many such groups there are, from the highest bits of the 56 on: those decide with which share an ID is kept.
	places = 2
	// window is after how many traces counting begins anew, and least from how many on they are judged.
	window, least = 8192, 128
	// deviations is how many standard deviations more than its share a value has in IDs that are not random. Of random ones none does in the
	// lifetime of a gateway, though they are judged often.
	deviations = 16
	// sayEvery is how often it is said while it goes on.
	sayEvery = time.Hour
)

// Counts are how often each value came in each place. The zero value is empty.
type Counts struct {
	traces  int64
	seen    [places][values]int64
	example [places][values]wire.TraceID
}

// Observe counts the ID of a trace of which nothing else says how random it is.
func (c *Counts) Observe(id *wire.TraceID) {
	low := binary.BigEndian.Uint64(id[8:])
	c.traces++
	for place := range places {
		v := low >> (bits - width*(place+1)) % values
		c.seen[place][v]++
		c.example[place][v] = *id
	}
}

// Add adds another shard's.
func (c *Counts) Add(o *Counts) {
	c.traces += o.traces
	for place := range places {
		for v, n := range o.seen[place] {
			if n > 0 {
				c.seen[place][v] += n
				c.example[place][v] = o.example[place][v]
			}
		}
	}
}

// Full reports whether so many traces were counted that counting is to begin anew.
func (c *Counts) Full() bool { return c.traces >= window }

// Suspect returns how many of the traces have the value that far too many have, an ID of theirs, and false where none is had by
// too many.
func (c *Counts) Suspect() (traces int64, example wire.TraceID, found bool) {
	if c.traces < least {
		return 0, example, false
	}
	mean := float64(c.traces) / values
	for place := range places {
		for v, n := range c.seen[place] {
			if float64(n) > mean+deviations*math.Sqrt(mean) && n > traces {
				traces, example, found = n, c.example[place][v], true
			}
		}
	}
	return traces, example, found
}

// Watch says that trace IDs are not random. One goroutine uses it.
type Watch struct {
	Logger *zap.Logger
	said   time.Time
}

// Judge looks at the sum of what the shards counted. It logs at most once an hour.
func (w *Watch) Judge(c *Counts) {
	traces, example, found := c.Suspect()
	if !found || !w.said.IsZero() && clock.Since(w.said) < sayEvery {
		return
	}
	w.said = clock.Now()
	w.Logger.Warn("trace IDs are not random in their last 7 bytes, as W3C Trace Context requires: percentages keep another share of such traces, and "+
		"weights are wrong; generate trace IDs at random, or set rv in the tracestate; IDs with W3C's random flag are not checked", zap.Int64("alike", traces), zap.Int64("of_traces", c.traces), zap.Stringer("example", example))
}
