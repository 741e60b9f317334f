package sim

import (
	"context"
	"encoding/binary"
	"time"
)

// spell is a period of even traffic, longer than all other steps together. With evaluation it is minutes to hours in which a
// share of requests fails: alerts fire and end. Otherwise it is enough traces to fill journals.
func (w *World) spell() {
	if w.depth > 0 {
		return
	}
	if !w.scenario.alerts {
		w.churn(10+w.rng.IntN(60), pick(w.rng, 50*time.Millisecond, time.Second, 10*time.Second))
		return
	}
	minutes := pick(w.rng, 6, 12, 40, 90, 420)
	every := max(1, minutes/90)
	requests := pick(w.rng, 1, 1, 2)
	share := pick(w.rng, 0, 0, 0.02, 0.08, 0.3, 1)
	evaluates := pick(w.rng, 0, 0.1, 1)
	w.log("%d minutes in which %v of the requests fail, %d at once", minutes, share, requests)
	for minute := 0; minute < minutes && w.lasts(); minute += every {
		if w.rng.IntN(2*minutes) == 0 {
			w.kill()
		}
		for range requests {
			if w.lasts() {
				w.request(3, services[0], share)
			}
		}
		w.emit()
		if w.lasts() && w.rng.Float64() < evaluates {
			w.evaluate()
			w.tell()
		}
		w.work()
		w.sleep(time.Duration(every) * time.Minute)
	}
}

// churn sends, decides and delivers one trace after another.
func (w *World) churn(requests int, pause time.Duration) {
	w.log("%d requests, one every %v", requests, pause)
	for range requests {
		if !w.lasts() {
			return
		}
		w.request(4, services[w.rng.IntN(len(services))], 0.1)
		w.work()
		w.sleep(pause)
	}
}

// lasts reports whether the process lives without a broken law.
func (w *World) lasts() bool { return !w.ended() && len(w.problems) == 0 }

// work takes each due turn once.
func (w *World) work() {
	if w.lasts() {
		w.decide()
	}
	for _, sender := range w.gateway.Due() {
		if w.lasts() {
			w.gateway.Deliver(context.Background(), sender)
		}
	}
	w.settle()
}

// request sends traces of one span each, some of which fail.
func (w *World) request(traces int, service string, failing float64) {
	w.requests++
	r := &request{number: w.requests}
	for range traces {
		t := &trace{next: 1}
		binary.BigEndian.PutUint64(t.id[:8], w.rng.Uint64())
		binary.BigEndian.PutUint64(t.id[8:], w.rng.Uint64())
		s := &span{trace: t, service: service, name: "operation-0", root: true, failed: w.rng.Float64() < failing, started: w.now()}
		binary.BigEndian.PutUint64(s.id[:], w.rng.Uint64()|1)
		t.spans = []*span{s}
		w.all, w.traces[t.id], w.spans[s.id] = append(w.all, t), t, s
		r.spans = append(r.spans, s)
	}
	r.body = encode(r.spans)
	w.sent = append(w.sent, r)
	w.deliverTo(r)
}
