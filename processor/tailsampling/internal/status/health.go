package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/slowburn/slowburn/internal/bytesize"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery"
)

// slowDelivery is how long a destination may take before Health reports it. Exporters that retry by themselves
// do not return while their backend is away.
const slowDelivery = 10 * time.Second

// recentRefusal is how long a refusal makes the gateway not ready.
const recentRefusal = 5 * time.Second

// recentLoss is how long Health reports that kept traces were given up.
const recentLoss = 5 * time.Minute

// Health is not OK while spans are refused (which blocks the gateway), or a destination does not take kept traces.
func (w *View) Health() host.Health {
	now := w.Buffer.Now()
	if !w.Buffer.Ready() {
		return host.Health{Blocking: true, Message: w.Progress()}
	}
	if why, refused := w.Refusals.Recent(recentRefusal); refused {
		return host.Health{Blocking: true, Message: "refuses spans: " + why}
	}
	if err := w.Syncer.Load().Health(); err != nil {
		return host.Health{Message: "spans would not survive a power cut: " + err.Error()}
	}
	if troubles := w.troubles(now); len(troubles) > 0 {
		return host.Health{Message: strings.Join(troubles, "; ")}
	}
	st := w.Buffer.Sum()
	return host.Health{OK: true, Message: fmt.Sprintf("%d traces wait for a decision, %s of %s used",
		st.Pending, bytesize.About(w.Buffer.Pool.Used()), bytesize.About(w.Buffer.Pool.Limit()))}
}

// troubles are what is wrong with destinations, one line for each.
func (w *View) troubles(now clock.Monotonic) (list []string) {
	for _, d := range w.Output.Destinations {
		if trouble := w.trouble(d, now); trouble != "" {
			list = append(list, trouble)
		}
	}
	return list
}

// trouble is what is wrong with a destination, empty if nothing is.
func (w *View) trouble(d *delivery.Destination, now clock.Monotonic) string {
	wait := func() string {
		return fmt.Sprintf("%d kept traces wait for %s", backlogOf(d.Backlog(), now).Traces, d.Name())
	}
	var text string
	switch state, at := stateOf(d, now); state {
	case refusesGateway:
		text = fmt.Sprintf("%s refuses this gateway (%s): %d kept traces wait; see its endpoint and the exporter's credentials",
			d.Name(), d.Refusal(), backlogOf(d.Backlog(), now).Traces)
	case retrying:
		text = fmt.Sprintf("%s; next retry in %v", wait(), max(0, at.Sub(now)).Round(100*time.Millisecond))
	case slow:
		text = fmt.Sprintf("%s, which has not answered for %v", wait(), now.Sub(at).Round(time.Second))
	}
	if at, _ := d.GaveUpAt(); at != 0 && now.Sub(at) < recentLoss {
		if text != "" {
			text += ", and "
		} else {
			text = d.Name() + ": "
		}
		text += fmt.Sprintf("%d kept spans were given up", d.UndeliveredSpans.Load())
	}
	return text
}

// Progress describes how far the start is.
func (w *View) Progress() string {
	if w.Store == nil {
		return "starts"
	}
	return w.Store.Progress()
}
