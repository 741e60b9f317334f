package sim

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
)

// mood is the kind of a destination's answers.
type mood int

const (
	works mood = iota
	busy
	refusesGateway
	failsAll    // by answers that may concern the traces or itself
	losesAnswer // it accepts the traces, and the answer is lost
	hangs
	takesParts
	moods
)

var moodNames = [...]string{"works", "busy", "refuses the gateway", "fails", "loses answers", "hangs", "takes parts"}

// backend is a destination.
type backend struct {
	id   string
	mood mood
	// got counts the arrivals of each span in accepted calls.
	got map[[8]byte]int
	// settled are spans whose delivery the gateway knows of, and has had the time to record.
	settled map[[8]byte]bool
}

// backends are all components after the sampler.
type backends struct{ *World }

func (backends) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeTraces is a destination's call.
func (b backends) ConsumeTraces(ctx context.Context, _ ptrace.Traces) error {
	w := b.World
	k := wire.KeptOf(ctx)
	k.Take()
	reconstruct(k)
	d := w.destinations[k.To]
	w.at("call " + d.id)
	if w.ended() {
		return &answer.Error{Class: answer.Retry, Text: "the process is dead"}
	}
	now := d.mood
	if now == hangs {
		w.log("%s hangs with %d traces", d.id, len(k.Traces))
		w.meanwhile(1 + w.rng.IntN(12))
		if now = works; w.rng.IntN(2) == 0 {
			now = busy
		}
	}
	if w.ended() {
		return &answer.Error{Class: answer.Retry, Text: "the process is dead"}
	}
	err := w.answer(d, k, now)
	w.log("%s is called with %d traces, %d spans%s: %v", d.id, len(k.Traces), len(k.Spans), names(k), err)
	w.at("answer " + d.id)
	if err == nil && !w.ended() {
		for i := range k.Spans {
			w.settling = append(w.settling, settling{d, k.Spans[i].ID})
		}
	}
	return err
}

// answer returns a destination's answer.
func (w *World) answer(d *backend, k *wire.Kept, how mood) error {
	switch how {
	case busy:
		return &answer.Error{Class: answer.Retry, Code: "HTTP 503", Delay: time.Duration(w.rng.IntN(3)) * time.Second}
	case refusesGateway:
		return &answer.Error{Class: answer.Gateway, Code: "HTTP 401"}
	case failsAll:
		return &answer.Error{Class: answer.Either, Code: "HTTP 500"}
	case losesAnswer:
		w.accept(d, k, false)
		return &answer.Error{Class: answer.Retry, Text: "connection reset"}
	case takesParts:
		for i := range k.Spans[:len(k.Spans)/2] {
			w.acceptSpan(d, k, i)
			k.Spans[i].Sent = true
		}
		return &answer.Error{Class: answer.Retry, Code: "HTTP 503"}
	}
	for _, t := range k.Traces {
		if tr := w.traces[t.ID]; tr != nil && tr.poisoned && !w.healing {
			return &answer.Error{Class: answer.Data, Code: "HTTP 400", Text: "bad trace"}
		}
	}
	w.accept(d, k, true)
	return nil
}

func (w *World) accept(d *backend, k *wire.Kept, sent bool) {
	for _, t := range k.Traces {
		if f, ok := t.Found.(*finding); !ok || f.gone || f.of != t.ID {
			w.problem("%s got trace %s, and what was found of it is gone, or of another", d.id, t.ID)
		}
	}
	for i := range k.Spans {
		if k.Spans[i].Omitted || k.Spans[i].Sent {
			continue
		}
		w.acceptSpan(d, k, i)
		k.Spans[i].Sent = sent
	}
}

// acceptSpan checks a span that arrives.
func (w *World) acceptSpan(d *backend, k *wire.Kept, i int) {
	if k.Spans[i].Omitted || k.Spans[i].Sent {
		return
	}
	id := [8]byte(k.Spans[i].ID)
	s := w.spans[id]
	if s == nil || s.given == 0 {
		w.problem("%s got span %x, which nobody sent", d.id, id)
		return
	}
	if b := k.Spans[i].Body.Of(k.Bytes); hash(b) != s.body {
		w.problem("%s got span %x with another body than it was sent with", d.id, id)
	}
	if !bytes.Contains(k.ResourceBytes(i), []byte(s.service)) {
		w.problem("%s got span %x of %s with the resource of another", d.id, id, s.service)
	}
	if s.trace.id != k.Spans[i].TraceID {
		w.problem("%s got span %x in trace %x", d.id, id, [16]byte(k.Spans[i].TraceID))
	}
	if !s.trace.sampled {
		w.problem("%s got span %x of trace %x, which was not sampled", d.id, id, s.trace.id)
	}
	w.weigh(d, s, string(wire.TraceStateOf(k, i)))
	if d.settled[id] && s.given < 2 {
		w.problem("%s got span %x of trace %x again, which it had accepted", d.id, id, s.trace.id)
	}
	d.got[id]++
}

// weigh checks the weight of a span.
func (w *World) weigh(d *backend, s *span, state string) {
	v := tracestate.Parse(state)
	random := tracestate.Resolve(s.trace.id, v.Randomness)
	switch {
	case v.Threshold == tracestate.None:
		if s.trace.threshold != tracestate.None {
			w.problem("%s got span %x without a weight, which was sampled with threshold %x", d.id, s.id, s.trace.threshold)
		}
	case v.Threshold > random:
		w.problem("%s got span %x with threshold %x, which its randomness %x does not pass", d.id, s.id, v.Threshold, random)
	case v.Threshold != s.trace.threshold && !s.trace.torn:
		w.problem("%s got span %x with threshold %x, which was sampled with %x", d.id, s.id, v.Threshold, s.trace.threshold)
	}
}

// settling is a span that a destination has accepted in the present step.
type settling struct {
	d  *backend
	id [8]byte
}

func (d *backend) String() string { return fmt.Sprintf("%s %s", d.id, moodNames[d.mood]) }

// names returns the beginnings of the traces' IDs.
func names(k *wire.Kept) (list string) {
	for _, t := range k.Traces {
		list += fmt.Sprintf(" %x", t.ID[:4])
	}
	return list
}
