package delivery

import (
	"slices"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/losses"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// settle marks a trace as settled, and reports whether it was not settled before.
func (l *load) settle(i int) bool {
	if l.traces[i].settled {
		return false
	}
	l.traces[i].settled = true
	l.open--
	return true
}

// visit calls f for a trace in the log, with its shard's mutex.
func (l *load) visit(i int, f func(out shard.Outgoing, k *shard.Kept, now clock.Monotonic)) {
	t := &l.traces[i]
	t.member.Lock()
	f(t.member.Outgoing(l.d.Index), &t.Kept, l.d.out.Buffer.Now())
	t.member.Unlock()
}

// deliver settles a trace that the destination accepted.
func (l *load) deliver(i int) {
	if !l.settle(i) {
		return
	}
	t := &l.traces[i]
	var first bool
	l.visit(i, func(out shard.Outgoing, k *shard.Kept, now clock.Monotonic) { first = out.Delivered(k.Slot, now) })
	spans := int64(t.Spans - t.lost)
	l.d.DeliveredTraces.Add(1)
	l.d.DeliveredSpans.Add(spans)
	l.d.Repaired.Add(int64(t.Repaired))
	if t.lost > 0 {
		l.d.out.Logger.Error("kept spans lost, they cannot be read back", zap.Int("spans", t.lost), l.d.field(), zap.Error(l.err))
	}
	if first {
		l.count(i)
	}
	if !l.d.Bytes && l.d.out.firstDecoded() == int(l.d.Index) {
		l.d.out.Unknown.Add(int64(t.Unknown))
	}
}

// count counts a trace once for all destinations, at its first delivery.
func (l *load) count(i int) {
	t, o := &l.traces[i], l.d.out
	l.countKept(i, o.Services)
	o.Lost.Add(int64(t.lost))
	o.Repeated.Add(int64(t.Repeats))
	o.WithoutThreshold.Add(int64(t.WithoutThreshold))
}

// giveUp settles a trace that is given up.
func (l *load) giveUp(i int, reason losses.Reason) {
	if !l.settle(i) {
		return
	}
	t := &l.traces[i]
	l.visit(i, func(out shard.Outgoing, k *shard.Kept, now clock.Monotonic) { out.GiveUp(k.Slot, now) })
	l.d.gaveUp(&t.Kept, reason)
}

// lose gives up a trace that no destination can receive.
func (l *load) lose(i int, err error) {
	t := &l.traces[i]
	l.visit(i, func(out shard.Outgoing, k *shard.Kept, _ clock.Monotonic) {
		if out.Lost(k.Slot) {
			l.d.out.Lost.Add(int64(t.Spans))
		}
	})
	l.d.out.Logger.Error("kept spans lost, they cannot be decoded", zap.Error(err), l.d.field(), zap.Int("spans", t.Spans))
	l.giveUp(i, losses.Undecodable)
}

// countKept counts a trace by service.
func (l *load) countKept(i int, services *tally.Services) {
	if n := len(l.kept.Resources); len(l.services) != n { // the first of the load
		l.services = append(l.services[:0], make([]*tally.Service, n)...)
	}
	t := &l.kept.Traces[i]
	for j := t.From; j < t.To; j++ {
		span := &l.kept.Spans[j]
		s := &l.services[span.Resource]
		if *s == nil {
			*s = services.Of(l.kept.ResourceBytes(j))
		}
		(*s).Kept.Spans.Add(1)
		(*s).Kept.Bytes.Add(int64(span.Body.Len()))
	}
}

// losePatience gives up traces for which the destination has refused the gateway for too long, those without an error first.
func (s *Sender) losePatience(now clock.Monotonic) {
	since, patience := s.d.RefusesSince(), s.d.out.Patience
	if since == 0 || now.Sub(since) < patience {
		return
	}
	before := now.Add(-patience)
	for _, failed := range []bool{false, true} {
		for _, m := range s.members {
			m.Lock()
			for k, more := m.Outgoing(s.d.Index).GiveUpOldest(failed, before, now); more; k, more = m.Outgoing(s.d.Index).GiveUpOldest(failed, before, now) {
				s.d.gaveUp(&k, losses.RefusalPatience)
			}
			m.Unlock()
		}
		for _, p := range slices.Clone(s.work) {
			p.giveUpOld(failed, before)
			s.put(p)
		}
	}
}

// giveUpOld gives up traces of a piece that were decided before an instant.
func (p *piece) giveUpOld(failed bool, before clock.Monotonic) {
	for i := p.from; i < p.to; i++ {
		if t := &p.traces[i]; t.DecidedAt < before && (failed || !t.Failed) {
			p.giveUp(i, losses.RefusalPatience)
		}
	}
}
