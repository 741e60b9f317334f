package sli

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

type evaluator []time.Time

func (e *evaluator) CountsSent(at time.Time) { *e = append(*e, at) }

// Only an accepted flush with events of objectives is reported to the evaluator; hindered reports a flush that does not end.
func TestOutlet(t *testing.T) {
	e := new(evaluator)
	o := outlet{evaluator: e}
	now := time.Unix(1000, 0)
	assert.Empty(t, o.hindered(now))
	o.begin(now)
	assert.Empty(t, o.hindered(now.Add(flushTime)))
	assert.Equal(t, "the metrics pipeline has not answered for 1m1s", o.hindered(now.Add(flushTime+time.Second)))
	o.end(1_000_000, 3, nil)
	assert.Empty(t, o.hindered(now.Add(time.Hour)))
	o.end(1_010_000, 0, nil)
	full := errors.New("the disk is full")
	o.failure.Store(&full)
	o.end(1_020_000, 3, full)
	assert.Equal(t, "the disk is full", o.hindered(now))
	o.end(1_030_000, 3, nil)
	assert.Empty(t, o.hindered(now))
	assert.Equal(t, evaluator{time.Unix(1000, 0), time.Unix(1030, 0)}, *e)
	(&outlet{}).end(1, 1, nil) // without a reader
}
