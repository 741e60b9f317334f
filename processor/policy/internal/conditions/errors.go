package conditions

import (
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
)

// evaluationErrors counts conditions that could not be evaluated, and logs one at most once a minute.
type evaluationErrors struct {
	logger *zap.Logger
	count  atomic.Uint64
	quiet  atomic.Int64 // nothing is logged before, in nanoseconds since the Unix epoch
}

func newEvaluationErrors(logger *zap.Logger) *evaluationErrors {
	if logger == nil {
		logger = zap.NewNop()
	}
	return &evaluationErrors{logger: logger}
}

func (e *evaluationErrors) add(condition string, err error, silent bool) {
	count := e.count.Add(1)
	if silent {
		return
	}
	now := clock.Now()
	quiet := e.quiet.Load()
	if now.UnixNano() < quiet || !e.quiet.CompareAndSwap(quiet, now.Add(time.Minute).UnixNano()) {
		return
	}
	e.logger.Warn("evaluating an OTTL condition failed; logged at most once a minute",
		zap.String("condition", condition), zap.Error(err), zap.Uint64("errors_so_far", count))
}
