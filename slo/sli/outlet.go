package sli

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/slo"
)

// flushTime is how long a flush may take before /readyz reports that the pipeline does not answer.
const flushTime = time.Minute

// outlet is the state of the flushes, for Probe. One goroutine flushes; hindered may be called concurrently.
type outlet struct {
	failure    atomic.Pointer[error]     // of the last flush
	began      atomic.Pointer[time.Time] // of the running flush; nil if none runs
	evaluator  slo.Evaluator             // reads the counts back; nil if nothing does
	heartbeats []string                  // objectives, as the function of that name returns them
}

func (o *outlet) begin(now time.Time) { o.began.Store(&now) }

// end notes the result of a flush with some series of events.
func (o *outlet) end(at int64, series int, err error) {
	o.began.Store(nil)
	if err != nil {
		return
	}
	o.failure.Store(nil)
	if series > 0 && o.evaluator != nil {
		o.evaluator.CountsSent(time.UnixMilli(at))
	}
}

// hindered returns why counts are not sent; empty if they are.
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
