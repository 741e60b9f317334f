package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery"
)

// slowDelivery is the time after which Health reports an unanswered call. An exporter that retries by itself
// does not return while its backend is away.
const slowDelivery = 10 * time.Second

// recentRefusal is how long the gateway is not ready after a refusal.
const recentRefusal = 5 * time.Second

// lastRefusal is how long it is not ready if nothing was accepted since.
const lastRefusal = time.Minute

// recentLoss is how long Health reports that kept traces were given up.
const recentLoss = 5 * time.Minute

// Health is not OK while spans are refused (which blocks the gateway), and while a destination does not take kept
// traces. Its message names files that were moved aside at the start.
func (w *View) Health() host.Health {
	h := w.health()
	if w.Store == nil {
		return h
	}
	if moved := w.Store.MovedAside(); moved != "" {
		h.Message += "; " + moved
	}
	return h
}

func (w *View) health() host.Health {
	now := w.Buffer.Now()
	if !w.Buffer.Ready() {
		return host.Health{Blocking: true, Message: w.Progress()}
	}
	if w.Draining != nil && w.Draining() {
		st := w.Buffer.Sum()
		return host.Health{Blocking: true, Message: fmt.Sprintf("is drained and takes no spans: %d traces are undecided, %s",
			st.Pending, waiting(st.Undelivered)+" for a destination")}
	}
	if why, refused := w.Refusals.Recent(recentRefusal, lastRefusal); refused {
		return host.Health{Blocking: true, Message: "refuses spans: " + why + w.backlogged()}
	}
	if err := w.Syncer.Load().Health(); err != nil {
		return host.Health{Message: "spans would not survive a power cut: " + err.Error()}
	}
	if troubles := w.troubles(now); len(troubles) > 0 {
		return host.Health{Message: strings.Join(troubles, ". ")}
	}
	st := w.Buffer.Sum()
	return host.Health{OK: true, Message: fmt.Sprintf("%d traces wait for a decision, %s of %s used",
		st.Pending, units.About(w.Buffer.Pool.Used()), units.About(w.Buffer.Pool.Limit()))}
}

// backlogged names the destination with the largest backlog, if spans are refused because of backlogs.
func (w *View) backlogged() string {
	if !w.Backlogs.Full() {
		return ""
	}
	var most int64
	var name string
	for _, d := range w.Output.Destinations {
		if bytes := d.Backlog().Bytes; bytes > most {
			most, name = bytes, d.Name()
		}
	}
	return fmt.Sprintf("; %s wait for %s", units.About(most), name)
}

// troubles describes the failing destinations, one line each.
func (w *View) troubles(now clock.Monotonic) (list []string) {
	for _, d := range w.Output.Destinations {
		if trouble := w.trouble(d, now); trouble != "" {
			list = append(list, trouble)
		}
	}
	return list
}

// trouble describes the failure of a destination. It is empty if there is none.
func (w *View) trouble(d *delivery.Destination, now clock.Monotonic) string {
	wait := func() string { return waiting(backlogOf(d.Backlog(), now).Traces) + " for " + d.Name() }
	var texts []string
	switch state, at := stateOf(d, now); state {
	case refusesGateway:
		texts = append(texts, refusal(d, backlogOf(d.Backlog(), now).Traces))
	case retrying:
		texts = append(texts, fmt.Sprintf("%s, %s", wait(), nextTry(d, now)))
	case slow:
		texts = append(texts, fmt.Sprintf("%s, which has not answered for %v", wait(), now.Sub(at).Round(time.Second)))
	}
	if n := d.Refused.Len(); n > 0 {
		texts = append(texts, fmt.Sprintf("%s refused %s for good: see slowburn retry", d.Name(), quantity(int64(n), "trace")))
	}
	if at, why := d.GaveUpAt(); at != 0 && now.Sub(at) < recentLoss {
		n := d.UndeliveredTraces.Load()
		verb := "were"
		if n == 1 {
			verb = "was"
		}
		texts = append(texts, fmt.Sprintf("%s for %s %s given up: %s", quantity(n, "kept trace"), d.Name(), verb, why))
	}
	return strings.Join(texts, ". ")
}

// quantity formats a number of things.
func quantity(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// waiting formats the number of waiting traces.
func waiting(traces int64) string {
	if traces == 1 {
		return "1 kept trace waits"
	}
	return quantity(traces, "kept trace") + " wait"
}

// refusal says that a destination refuses the gateway, or, if the cause is not certain, that it fails.
func refusal(d *delivery.Destination, traces int64) string {
	if last := d.Last(); last != nil && last.Class == answer.Either {
		return fmt.Sprintf("%s fails whatever it is sent (%s): %s", d.Name(), d.Last().Failure(), waiting(traces))
	}
	return fmt.Sprintf("%s refuses this gateway (%s): %s; see its endpoint and the exporter's credentials",
		d.Name(), d.Last().Failure(), waiting(traces))
}

// nextTry says when a failing destination is tried again, and why it fails.
func nextTry(d *delivery.Destination, now clock.Monotonic) string {
	text := "which is being tried again"
	if at := d.RetryAt(); at != 0 {
		text = fmt.Sprintf("which is tried again in %v", max(0, at.Sub(now)).Round(100*time.Millisecond))
	}
	if why := d.Last().Failure(); why != "" {
		text += fmt.Sprintf(" (%s)", why)
	}
	return text
}

// Progress describes how far the start is.
func (w *View) Progress() string {
	if w.Store == nil {
		return "is starting"
	}
	return w.Store.Progress()
}
