package delivery

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/losses"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/trial"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// settle applies the answer to a piece, which was taken out of the work. It returns the pause before the next piece.
func (s *Sender) settle(p *piece, sentBefore int, err error) (delay time.Duration) {
	now := s.d.out.Buffer.Now()
	a := answer.Of(err)
	class := answer.Accepted
	if a != nil {
		class = a.Class
		if class == answer.TooLarge && !a.AboutSize() {
			class = answer.Retry // a quota: nothing is wrong with the traces
		}
	}
	progress := a != nil && p.spansSent(p.from, p.to) > sentBefore
	s.d.note(a, progress, now)
	if progress { // it works, though not for all parts of a large trace
		s.pace.reset()
	}
	if progress || p.of != nil { // the rest of a large trace is not the cause, nor is one trace of a piece for the failures of all
		p.Trial = trial.Trial{}
	}
	stuck := p.Stuck()
	v := p.Judge(class, p.several(), s.d.acceptance(now))
	partly := !p.several() && p.spansSent(p.from, p.to) > 0
	switch {
	case v == trial.Park && partly: // its accepted spans would be sent again
		v = trial.Again
	case v == trial.Again && p.alone && !partly && class != answer.Gateway:
		v = trial.Park
	}
	if v != trial.Delivered {
		s.shelf.stall(p.load)
	}
	switch v {
	case trial.Delivered:
		s.pace.reset()
		for i := p.from; i < p.to; i++ {
			p.deliver(i)
		}
		s.waiting.rescue(now)
	case trial.Refused:
		s.refuse(p, a)
	case trial.Halve:
		s.halve(p)
		if class == answer.Data || class == answer.TooLarge {
			return 0
		}
		s.d.outage.since.CompareAndSwap(0, int64(max(now, 1)))
		s.failed(p, a)
		s.pace.reset() // the destination works: find out which half fails
		return askedDelay(a)
	case trial.Park, trial.Apart:
		s.failed(p, a)
		s.setAside(p, p.from, aside{apart: p.Stuck(), due: now.Add(askedDelay(a)), Trial: p.Trial})
	default:
		s.d.outage.since.CompareAndSwap(0, int64(max(now, 1)))
		s.failed(p, a)
		if !stuck && p.Stuck() && !slices.ContainsFunc(s.work, func(p *piece) bool { return p.Stuck() }) {
			s.pace.reset() // others are tried, with a back-off of their own
		}
		delay = s.pace.after(askedDelay(a))
		if class == answer.Either && (p.of != nil || p.Stuck() && !p.several()) {
			s.d.refuse(now, a)
		}
		if p.of == nil {
			s.put(p)
		}
		if class == answer.Gateway || class == answer.Either {
			s.losePatience(now)
		}
		return delay
	}
	if p.of != nil {
		s.work.put(p.of)
	}
	s.recycle(p.load)
	return delay
}

// failed counts and logs a call that will be repeated.
func (s *Sender) failed(p *piece, a *answer.Error) {
	s.d.Retries.Add(1)
	if s.d.warn("destination did not accept kept traces, they wait in the span log", a, zap.Int("traces", p.to-p.from)) {
		s.d.outage.warned.Store(true)
	}
}

// halve puts the halves of a piece in front of the work.
func (s *Sender) halve(p *piece) {
	middle := (p.from + p.to) / 2
	second, first := *p, *p
	first.to, second.from = middle, middle
	accepted := s.d.acceptance(s.d.out.Buffer.Now())
	for _, half := range []*piece{&second, &first} {
		half.Trial = p.Half(half.several(), accepted)
		half.tried = half.from
		s.put(half)
	}
}

// refuse keeps a trace that was refused for good in the log.
func (s *Sender) refuse(p *piece, a *answer.Error) {
	i := p.from
	t := &p.traces[i]
	if !p.settle(i) {
		return
	}
	var oldest RefusedTrace
	var full bool
	p.visit(i, func(out shard.Outgoing, k *shard.Kept, now clock.Monotonic) {
		out.Refuse(k.Slot)
		// Listed before anything can give it up.
		oldest, full = s.d.Refused.add(RefusedTrace{Kept: t.Kept, Destination: s.d, At: now, member: t.member, sender: s}, a)
	})
	s.pace.reset() // it answered
	s.d.RefusedSpans.Add(int64(t.Spans))
	s.d.warn("destination refused a trace for good, it stays in the span log and is sent again on request", a,
		zap.Stringer("trace_id", t.ID), zap.Int("spans", t.Spans))
	if full {
		s.d.giveUpAside(oldest.member, oldest.Ref, losses.RefusedList)
	}
}

// setAside makes a trace of a piece wait, apart for long, or until its next try. The others continue.
func (s *Sender) setAside(p *piece, i int, a aside) {
	t := &p.traces[i]
	if !p.settle(i) {
		return
	}
	p.visit(i, func(out shard.Outgoing, k *shard.Kept, _ clock.Monotonic) { out.Park(k.Slot) })
	a.ref, a.member, a.delay = t.Ref, t.member, p.delay
	s.wait(a.longer(s.d.out.Buffer.Now()))
}
