// Package census counts the series in the head of the time series database by owner, so that those of other senders stay
// within a limit and the gateway's own always find room.
//
// Its types are Census and Counts. A series counts as one or more units (Units), by the bytes of its labels and by its
// buckets: so a limit of units is a limit of memory. Series that are in the head when the database is opened count as foreign until
// the gateway writes to them. A Census is goroutine-safe; its mutex is held for a look-up, and never while the database is called, as the
// database calls Census with its own locks held.
package census

import (
	"sync"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

const (
	// LabelBytes is how many bytes of labels a unit has.
	LabelBytes = 1024
	// BucketsPerUnit is how many buckets of a native histogram a unit has.
	BucketsPerUnit = 16
)

// Units returns how many units a series counts as.
func Units(labelBytes, buckets int) int { return 1 + labelBytes/LabelBytes + buckets/BucketsPerUnit }

// Census counts the series in the head. Make one with New.
type Census struct {
	max int

	mu      sync.Mutex
	series  map[storage.SeriesRef]charge
	own     Counts
	foreign Counts
}

// Counts is a number of series and their units.
type Counts struct{ Series, Units int }

// charge is the units and the owner of a series.
type charge struct {
	units int32
	own   bool
}

var _ tsdb.SeriesLifecycleCallback = (*Census)(nil)

// New returns a census that allows max units of foreign series.
func New(max int) *Census { return &Census{max: max, series: map[storage.SeriesRef]charge{}} }

// Room reports whether a foreign series may count as some units. ref is 0 if it is not in the head yet.
func (c *Census) Room(ref storage.SeriesRef, units int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch, known := c.series[ref]
	if known && (ch.own || int(ch.units) >= units) {
		return true
	}
	return c.foreign.Units+units-int(ch.units) <= c.max
}

// Note counts a series in the head as some units, or as many as before if those were more. The gateway's own stays its own.
func (c *Census) Note(ref storage.SeriesRef, units int, own bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch, known := c.series[ref]
	if known && ch.own == (own || ch.own) && int(ch.units) >= units {
		return
	}
	c.remove(ref)
	ch = charge{max(int32(units), ch.units), own || ch.own}
	c.series[ref] = ch
	counts := c.of(ch)
	counts.Series++
	counts.Units += int(ch.units)
}

func (c *Census) of(ch charge) *Counts {
	if ch.own {
		return &c.own
	}
	return &c.foreign
}

func (c *Census) remove(ref storage.SeriesRef) {
	ch, known := c.series[ref]
	if !known {
		return
	}
	delete(c.series, ref)
	counts := c.of(ch)
	counts.Series--
	counts.Units -= int(ch.units)
}

// Counts returns how many series are the gateway's own, and how many are not.
func (c *Census) Counts() (own, foreign Counts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.own, c.foreign
}

// Max returns how many units of foreign series there is room for.
func (c *Census) Max() int { return c.max }

// PreCreation implements tsdb.SeriesLifecycleCallback.
func (*Census) PreCreation(labels.Labels) error { return nil }

// PostCreation implements tsdb.SeriesLifecycleCallback.
func (*Census) PostCreation(labels.Labels) {}

// PostDeletion implements tsdb.SeriesLifecycleCallback.
func (c *Census) PostDeletion(gone map[chunks.HeadSeriesRef]labels.Labels) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ref := range gone {
		c.remove(storage.SeriesRef(ref))
	}
}
