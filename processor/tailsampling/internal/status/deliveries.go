package status

import (
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// Values of Destination.State, the worst first.
const (
	refusesGateway = "refuses_gateway"
	retrying       = "retrying"
	slow           = "slow"
	delivering     = "delivering"
)

// maxListed is the number of refused traces that are listed.
const maxListed = 100

// stateOf returns the state of a destination and when it began.
func stateOf(d *delivery.Destination, now clock.Monotonic) (state string, at clock.Monotonic) {
	if since := d.RefusesSince(); since != 0 {
		return refusesGateway, since
	}
	if since := d.FailsSince(); since != 0 {
		return retrying, since
	}
	if at := d.RetryAt(); at != 0 { // the disk failed to read back the next trace
		return retrying, at
	}
	if since := d.CallingSince(); since != 0 && now.Sub(since) > slowDelivery {
		return slow, since
	}
	return delivering, 0
}

// Destinations returns the state of each destination, and the traces that were refused for good.
func (w *View) Destinations() Destinations {
	out := Destinations{
		Destinations: []Destination{}, Refused: []RefusedTrace{}, BudgetBytes: w.Backlogs.Limit, UsedBytes: w.Backlogs.Used(),
		WhenFull: "give_up",
	}
	if w.Backlogs.Refuse {
		out.WhenFull = "refuse"
	}
	now := w.Buffer.Now()
	for _, d := range w.Output.Destinations {
		out.Destinations = append(out.Destinations, w.destination(d, now))
	}
	refused, total := w.Output.LatestRefused(maxListed)
	out.RefusedTotal = int64(total)
	for i := range refused {
		t := &refused[i]
		out.Refused = append(out.Refused, RefusedTrace{
			TraceID: t.ID.String(), Destination: t.Destination.ID, Pipeline: t.Destination.Pipeline, Spans: int64(t.Spans),
			Bytes: int64(t.Bytes), At: w.time(t.At), Code: t.Code, Text: t.Text,
		})
	}
	return out
}

func (w *View) destination(d *delivery.Destination, now clock.Monotonic) Destination {
	out := Destination{
		Destination: d.ID, Pipeline: d.Pipeline, Bytes: d.Bytes, Exporters: append([]string{}, d.Exporters...),
		Backlog: backlogOf(d.Backlog(), now), ShareBytes: w.Backlogs.Share(),
		RetryAt: w.timeOr(d.RetryAt()), RefusesSince: w.timeOr(d.RefusesSince()),
		Deliveries: Deliveries{
			DeliveredTraces: d.DeliveredTraces.Load(), DeliveredSpans: d.DeliveredSpans.Load(), Retries: d.Retries.Load(),
			RejectedSpans: d.Rejected.Load(), RejectedWhy: d.RejectedReason(),
			RefusedTraces: int64(d.Refused.Len()), ApartTraces: d.Apart.Load(),
			UndeliveredTraces: d.UndeliveredTraces.Load(), UndeliveredSpans: d.UndeliveredSpans.Load(),
		},
	}
	out.State, _ = stateOf(d, now)
	if last := d.Last(); last != nil {
		out.LastAnswer = &LastAnswer{At: w.time(last.At), Class: last.Class.String(), Code: last.Code, Text: last.Text}
	}
	return out
}

func backlogOf(b shard.Backlog, now clock.Monotonic) Backlog {
	out := Backlog{Traces: b.Traces - b.Refused.Traces, Spans: b.Spans - b.Refused.Spans, Bytes: b.Bytes}
	if out.Traces > 0 {
		out.Seconds = max(0, now.Sub(b.Pending).Seconds())
	}
	return out
}

func (w *View) time(at clock.Monotonic) time.Time { return *w.believed(w.Buffer.UnixMilli(at)) }

// timeOr returns the time of an instant, nil if it is not set.
func (w *View) timeOr(at clock.Monotonic) *time.Time {
	if at == 0 {
		return nil
	}
	t := w.time(at)
	return &t
}
