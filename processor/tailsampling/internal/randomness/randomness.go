// Package randomness detects trace IDs whose last 7 bytes are not random, as W3C Trace Context requires and as probabilistic
// decisions and weights rely on.
//
// Its types are Counts (what a shard has seen, under its mutex) and Watch (which judges the sum over all shards, and logs).
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
	// values is the number of values of a group of width bits. bits is the number of random bits of a trace
	// ID.
	values, bits = 1 << width, 56
	width        = 6
	// places is the number of groups that are counted, from the highest of the 56 bits on: those decide at which percentage an
	// ID is kept.
	places = 2
	// window is the number of traces after which counting begins anew, and least the number from which on
	// they are judged.
	window, least = 8192, 128
	// deviations is the number of standard deviations over its share at which a value is suspect. With random IDs this does not happen in
	// the lifetime of a gateway, though they are judged often.
	deviations = 16
	// sayEvery is the pause between two warnings.
	sayEvery = time.Hour
)

// Counts counts the values in each place. The zero value is empty.
type Counts struct {
	traces  int64
	seen    [places][values]int64
	example [places][values]wire.TraceID
}

// Observe counts a trace ID. It is for traces without W3C's random flag, rv or th.
func (c *Counts) Observe(id *wire.TraceID) {
	low := binary.BigEndian.Uint64(id[8:])
	c.traces++
	for place := range places {
		v := low >> (bits - width*(place+1)) % values
		c.seen[place][v]++
		c.example[place][v] = *id
	}
}

// Add adds the counts of another shard.
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

// Full reports whether counting must begin anew.
func (c *Counts) Full() bool { return c.traces >= window }

// Suspect returns how many traces have the value that is suspiciously frequent, and the ID of one of them. It returns false if
// there is no such value.
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

// Watch logs that trace IDs are not random. One goroutine uses it.
type Watch struct {
	Logger *zap.Logger
	said   time.Time
}

// Judge judges the sum of the shards' counts. It logs at most once an hour.
func (w *Watch) Judge(c *Counts) {
	traces, example, found := c.Suspect()
	if !found || !w.said.IsZero() && clock.Since(w.said) < sayEvery {
		return
	}
	w.said = clock.Now()
	w.Logger.Warn("trace IDs are not random in their last 7 bytes, as W3C Trace Context requires: the percentages of such traces and their "+
		"weights are wrong; generate trace IDs at random, or set rv in the tracestate; IDs with W3C's random flag are not checked", zap.Int64("alike", traces), zap.Int64("of_traces", c.traces), zap.Stringer("example", example))
}
