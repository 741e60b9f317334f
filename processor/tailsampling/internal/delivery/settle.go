package delivery

import (
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/trial"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// settle does what follows from the answer to a piece, the first of what is at work. It returns how long to wait before the
// next is sent.
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
	progress := a != nil && p.sent(p.from, p.to) > sentBefore
	others := s.d.acceptedRecently(now)
	s.d.note(a, progress, now)
	if progress { // the rest of a large trace is not to blame for
		p.Trial = trial.Trial{}
	}
	s.work = s.work[1:]
	v := p.Judge(class, p.several(), others)
	if v == trial.Apart && s.waiting.full() {
		v = trial.Again
	}
	switch v {
	case trial.Delivered:
		s.pace.reset()
		for i := p.from; i < p.to; i++ {
			p.deliver(i)
		}
	case trial.Refused:
		s.refuse(p, a)
	case trial.Halve:
		s.halve(p)
		if class == answer.Data || class == answer.TooLarge {
			return 0
		}
		delay = s.failed(p, a)
		if others { // it works: which half fails is found out at once
			delay = a.Delay
			s.pace.reset()
		}
	case trial.Apart:
		s.setApart(p)
		delay = s.failed(p, a)
	default:
		delay = s.failed(p, a)
		if class == answer.Either && p.Stuck() {
			s.d.refuse(now, a)
		}
		if p.alone && class != answer.Gateway {
			s.setApart(p)
			delay = 0
		} else {
			s.put(p)
		}
		s.losePatience(now)
		return delay
	}
	s.recycle(p.load)
	return delay
}

// failed counts and logs a call that is made again, and returns when.
func (s *Sender) failed(p *piece, a *answer.Error) time.Duration {
	s.d.Retries.Add(1)
	s.d.warn("the next component failed: kept traces wait in the span log", a, zap.Int("traces", p.to-p.from))
	return s.pace.after(a.Delay)
}

// halve puts the halves of a piece to work in its place.
func (s *Sender) halve(p *piece) {
	middle := (p.from + p.to) / 2
	second, first := *p, *p
	first.to, second.from = middle, middle
	for _, half := range []*piece{&second, &first} {
		half.Trial = p.Half(half.several())
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
	p.visit(i, func(out shard.Outgoing, k *shard.Kept, _ clock.Monotonic) { out.PutAside(k.Slot) })
	s.pace.reset() // it answered
	s.d.RefusedSpans.Add(int64(t.Spans))
	s.d.warn("the destination refused a trace for good: it stays in the span log, and is sent again on request", a,
		zap.Stringer("trace_id", t.ID), zap.Int("spans", t.Spans))
	oldest, full := s.d.out.Refused.add(RefusedTrace{
		Kept: t.Kept, Destination: s.d, At: s.d.out.Buffer.Now(), member: t.member, sender: s,
	}, a)
	if full {
		oldest.giveUp()
	}
}

// setApart lets a trace wait by itself.
func (s *Sender) setApart(p *piece) {
	i := p.from
	t := &p.traces[i]
	if !p.settle(i) {
		return
	}
	p.visit(i, func(out shard.Outgoing, k *shard.Kept, _ clock.Monotonic) { out.PutAside(k.Slot) })
	s.waiting.again(s.d, aside{ref: t.Ref, member: t.member, delay: p.delay, Trial: p.Trial})
	s.recycle(p.load)
}
