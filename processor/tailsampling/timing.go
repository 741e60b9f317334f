package tailsampling

import (
	"sync/atomic"
	"time"
)

// stage is a part of the way through the buffer of which the time is measured.
type stage uint8

const (
	stageAppend  stage = iota // a request: everything between ConsumeTraces being called and its return
	stageDecide               // a run of the decider
	stageDeliver              // a batch: decoding it, and the next component's call
	stages
)

// String returns the stage as it stands in metrics.
func (s stage) String() string { return [stages]string{"append", "decide", "deliver"}[s] }

// stageTimes adds up how long stages took. It is safe for concurrent use.
type stageTimes [stages]struct{ calls, nanoseconds atomic.Int64 }

// since counts a call of a stage that began then.
func (t *stageTimes) since(s stage, began time.Time) {
	t[s].calls.Add(1)
	t[s].nanoseconds.Add(int64(time.Since(began)))
}
