package readback

import (
	"context"
	"slices"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
)

const (
	// maxBatch is how many minutes a query is for, fewer than the points that Prometheus allows per series. It shrinks to minBatch where the
	// database refuses.
	maxBatch, minBatch = 1000, 15
	// maxFailures is how many queries for minBatch minutes may fail one after another.
	maxFailures = 3
)

// Job is a task that is being read. It is not safe for concurrent use.
type Job struct {
	task      Task
	indicator slo.Indicator
	// next is the first of the minutes that were read.
	next     ledger.Minute
	batch    ledger.Minute
	failures int
	parts    []*samples.Counts // newest first
}

// NewJob begins to read a task.
func NewJob(t Task, in slo.Indicator) *Job {
	return &Job{task: t, indicator: in, next: t.Until, batch: maxBatch}
}

// Step makes the next queries. An error is the database's: the job goes on with fewer minutes at a time.
func (j *Job) Step(ctx context.Context, q samples.Querier) error {
	from := max(j.next-j.batch, j.task.From)
	counts, _, err := samples.ReadPromQL(ctx, q, j.indicator, from, j.next)
	if err != nil {
		if j.batch == minBatch {
			j.failures++
		}
		j.batch = max(j.batch/4, minBatch)
		j.task.Refused = err.Error()
		return err
	}
	j.failures, j.task.Refused = 0, ""
	counts.Parts = nil // the past is known as a whole only
	j.parts = append(j.parts, counts)
	j.next = from
	return nil
}

// Done reports whether all was read, or no more can be.
func (j *Job) Done() bool { return j.next <= j.task.From || j.failures >= maxFailures }

// Result returns the task as done, and what was read from its first measured minute on.
func (j *Job) Result() (Task, samples.Counts) {
	var all samples.Counts
	for _, part := range slices.Backward(j.parts) {
		all.Deltas = append(all.Deltas, part.Deltas...)
		all.Measured = append(all.Measured, part.Measured...)
	}
	first := max(slices.Index(all.Measured, true), 0)
	if !slices.Contains(all.Measured, true) {
		first = len(all.Measured)
	}
	all.Deltas, all.Measured = all.Deltas[first:], all.Measured[first:]
	t := j.task
	t.Done, t.Since = true, t.Until-ledger.Minute(len(all.Deltas))
	return t, all
}
