package sli

import (
	"context"

	"github.com/slowburn/slowburn/slo"
)

// heartbeatLabel distinguishes the series that says that spans of an objective are counted from those of its events.
const heartbeatLabel = "heartbeat"

// heartbeats returns the objectives for which an absence of spans means something. Each has a series that is always 0 and never
// expires, so that a reader can distinguish no traffic from no counting.
func heartbeats(objectives []slo.Objective) (names []string) {
	for _, o := range objectives {
		if o.Indicator.WantsTraffic() {
			names = append(names, o.Name)
		}
	}
	return names
}

// flushHeartbeats comes after the events were accepted: a heartbeat says that all counts up to its time were sent.
func (f *flusher) flushHeartbeats(ctx context.Context, at int64) error {
	if len(f.heartbeats) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.interval) // until the next flush
	defer cancel()
	b := newBatch(f.resource, at)
	points := b.sum(metricEvents, "Events of an objective.", "{event}")
	for _, name := range f.heartbeats {
		p := points.AppendEmpty()
		p.Attributes().PutStr("objective", name)
		p.Attributes().PutStr(heartbeatLabel, "true")
		p.SetStartTimestamp(timestamp(min(f.started, at)))
		p.SetTimestamp(timestamp(at))
		p.SetIntValue(0)
	}
	return f.send(ctx, b)
}
