package status

import (
	"fmt"
	"time"

	"github.com/slowburn/slowburn/internal/bytesize"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/host"
)

// slowDelivery is how long the next component may take before Health reports it. Exporters that retry by themselves
// do not return while their backend is away.
const slowDelivery = 10 * time.Second

// recentRefusal is how long a refusal makes the gateway not ready.
const recentRefusal = 5 * time.Second

// Health is not OK while spans are refused (which blocks the gateway) or kept traces wait for the next component.
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
	st := w.Buffer.Sum()
	if at := w.retryAt(); at != 0 {
		return host.Health{Message: fmt.Sprintf("%d kept traces wait; next retry in %v",
			st.Undelivered, max(0, at.Sub(now)).Round(100*time.Millisecond))}
	}
	if since := w.callingSince(); since != 0 && now.Sub(since) > slowDelivery {
		return host.Health{Message: fmt.Sprintf("%d kept traces wait: the next component has not answered for %v",
			st.Undelivered, now.Sub(since).Round(time.Second))}
	}
	return host.Health{OK: true, Message: fmt.Sprintf("%d traces wait for a decision, %s of %s used",
		st.Pending, bytesize.About(w.Buffer.Pool.Used()), bytesize.About(w.Buffer.Pool.Limit()))}
}

// Progress describes how far the start is.
func (w *View) Progress() string {
	if w.Store == nil {
		return "starts"
	}
	return w.Store.Progress()
}

// retryAt is when the first emitter that waits after an error tries again, 0 if none does.
func (w *View) retryAt() (at clock.Monotonic) {
	for _, m := range w.Emitters {
		if t := m.RetryAt(); t != 0 && (at == 0 || t < at) {
			at = t
		}
	}
	return at
}

// callingSince is since when the slowest call of the next component has not returned, 0 if there is none.
func (w *View) callingSince() (since clock.Monotonic) {
	for _, m := range w.Emitters {
		if t := m.CallingSince(); t != 0 && (since == 0 || t < since) {
			since = t
		}
	}
	return since
}
