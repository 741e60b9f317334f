package sli

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/slo"
)

// flushTime is how long a flush may take before /readyz says that it does not end.
const flushTime = time.Minute

// outlet is how the flushes go. One goroutine flushes; its other methods may be called concurrently.
type outlet struct {
	failure   atomic.Pointer[error]     // of the last flush
	began     atomic.Pointer[time.Time] // the flush that runs; nil where none does
	evaluator slo.Evaluator             // who reads the counts back; nil where nobody does
}

func (o *outlet) begin(now time.Time) { o.began.Store(&now) }

// end notes how a flush of series of events went.
func (o *outlet) end(at int64, series int, err error) {
	o.began.Store(nil)
	if err != nil {
		return
	}
	o.failure.Store(nil)
	if series > 0 && o.evaluator != nil {
		o.evaluator.CountsLeft(time.UnixMilli(at))
	}
}

// hindered says why counts do not get out, and is empty where they do.
func (o *outlet) hindered(now time.Time) string {
	if began := o.began.Load(); began != nil {
		if takes := now.Sub(*began); takes > flushTime {
			return fmt.Sprintf("the metrics pipeline has not answered for %s", takes.Round(time.Second))
		}
	}
	if err := o.failure.Load(); err != nil {
		return (*err).Error()
	}
	return ""
}
