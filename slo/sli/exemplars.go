package sli

import (
	"bytes"
	"cmp"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
)

// evidence holds bad events whose traces the sampler was asked to keep, until their traces were decided: only those of kept traces
// become exemplars, so that an exemplar's trace can be found. The zero value is ready to use.
type evidence struct {
	mu      sync.Mutex
	waiting []waitingMark
}

// waitingMark is a mark with the sampler that decides about its trace.
type waitingMark struct {
	count.Mark
	sampler exemplars.Keeper
}

const (
	// maxWaiting bounds the marks that wait for decisions: the newest are left out.
	maxWaiting = 10_000
	// maxWait is how long a mark waits for the decision about its trace and for the metrics pipeline.
	maxWait = 15 * time.Minute
)

// add asks the sampler to keep the traces of the marks.
func (v *evidence) add(sampler exemplars.Keeper, marks []count.Mark) {
	for i := range marks {
		sampler.Keep(marks[i].Trace)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range marks[:min(len(marks), maxWaiting-len(v.waiting))] {
		v.waiting = append(v.waiting, waitingMark{m, sampler})
	}
}

// decided removes and returns the marks of kept traces, in the order of their time. Marks of traces that were not kept, and those that
// waited for too long at this time in Unix ms, are dropped.
func (v *evidence) decided(at int64) (kept []waitingMark) {
	v.mu.Lock()
	waiting := v.waiting
	v.waiting = nil
	v.mu.Unlock()
	var left []waitingMark
	for _, m := range waiting {
		if at-m.At > maxWait.Milliseconds() {
			continue
		}
		switch m.sampler.Fate(m.Trace) {
		case exemplars.Undecided:
			left = append(left, m)
		case exemplars.Kept:
			kept = append(kept, m)
		}
	}
	v.putBack(left)
	slices.SortStableFunc(kept, func(a, b waitingMark) int { return cmp.Compare(a.At, b.At) })
	return kept
}

// putBack adds marks that wait again, before those that came meanwhile.
func (v *evidence) putBack(marks []waitingMark) {
	if len(marks) == 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.waiting = append(marks, v.waiting...)
}

// shown are the exemplars of one flush.
type shown struct {
	events map[*count.EventSeries][]waitingMark
	calls  map[callLabels][]waitingMark
}

// callLabels are the labels of a series of calls.
type callLabels struct{ service, operation, kind, status string }

// show groups the marks by their series.
func show(marks []waitingMark) (s shown) {
	if len(marks) == 0 {
		return s
	}
	s.events, s.calls = map[*count.EventSeries][]waitingMark{}, map[callLabels][]waitingMark{}
	for _, m := range marks {
		s.events[m.Series] = append(s.events[m.Series], m)
		labels := callLabels{m.Series.Service(), m.Series.Operation(), count.KindName(m.Kind), count.StatusName(m.Status)}
		s.calls[labels] = append(s.calls[labels], m)
	}
	return s
}

// unsent returns the marks whose series was not sent, in the order of their time.
func (s shown) unsent() (marks []waitingMark) {
	for _, of := range s.events {
		marks = append(marks, of...)
	}
	slices.SortFunc(marks, func(a, b waitingMark) int {
		return cmp.Or(cmp.Compare(a.At, b.At), bytes.Compare(a.Trace[:], b.Trace[:]), bytes.Compare(a.Span[:], b.Span[:]))
	})
	return marks
}

// sent drops the exemplars of sent series of bad events.
func (s shown) sent(points []count.EventPoint) {
	if len(s.events) == 0 {
		return
	}
	for _, p := range points {
		delete(s.events, p.Series)
	}
}

// ofCalls returns the exemplars of a series of calls.
func (s shown) ofCalls(series *count.CallSeries) []waitingMark {
	if len(s.calls) == 0 {
		return nil
	}
	return s.calls[callLabels{series.Service(), series.Operation(), series.Kind(), series.Status()}]
}

// maxShown is how many exemplars of a series one flush sends: the newest.
const maxShown = 10

// appendTo appends the marks as exemplars. A value of 1 is one event; otherwise it is the span's duration in seconds.
func appendTo(dst pmetric.ExemplarSlice, marks []waitingMark, duration bool) {
	marks = marks[max(0, len(marks)-maxShown):]
	dst.EnsureCapacity(len(marks))
	for _, m := range marks {
		e := dst.AppendEmpty()
		e.SetTimestamp(timestamp(m.At))
		e.SetTraceID(pcommon.TraceID(m.Trace))
		e.SetSpanID(pcommon.SpanID(m.Span))
		seconds := float64(m.Duration) / 1e9
		if duration {
			e.SetDoubleValue(seconds)
			continue
		}
		e.SetIntValue(1)
		e.FilteredAttributes().PutDouble("duration_ms", float64(m.Duration)/1e6)
	}
}
