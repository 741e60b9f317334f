package skeleton

import (
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
)

// path is a walk along the critical path of a skeleton.
type path struct {
	own   []uint64 // by span: its own time on the path
	stack []frame
}

// frame is a span on the current branch of the critical path.
type frame struct {
	span       int32
	children   []int32 // still to visit, the one that ends last first
	start, end uint64  // on the clock of the root
	at         uint64  // the path is known from here to the end
	shift      int64   // from the span's own clock to the root's
}

// CriticalPath returns the nanoseconds of the critical path of the primary root that are matching spans' own time, without
// their callees'. The parts of a path add up to the root's duration, which is the result if all spans match.
//
// The path is found backwards from a span's end: the span waited for the child that ended last before that; before this
// child's start, for the child that ended last before it; and so on. Work that goes on after its parent has ended, or
// comes from a queue, is not waited for.
func (k *Skeleton) CriticalPath(match func(*Span) bool) (nanoseconds uint64) {
	root := k.primary()
	if root < 0 {
		return 0
	}
	k.path.walk(k, root)
	for i, own := range k.path.own {
		if own > 0 && match(&k.Spans[i]) {
			nanoseconds += own
		}
	}
	return nanoseconds
}

// primary returns the root that represents the trace, or an orphan if there is no root; -1 if there is no
// span.
func (k *Skeleton) primary() int32 {
	best := int32(-1)
	for _, i := range k.tops {
		if best < 0 || k.goesFirst(i, best) {
			best = i
		}
	}
	return best
}

// goesFirst reports whether a represents the trace rather than b: a root before an orphan, a span that is not a client
// before a client, then the earlier start.
func (k *Skeleton) goesFirst(a, b int32) bool {
	x, y := &k.Spans[a], &k.Spans[b]
	return cmp.Or(
		compareBool(k.isOrphan(a), k.isOrphan(b)),
		compareBool(x.calls(), y.calls()),
		compareBool(x.Start == 0, y.Start == 0),
		cmp.Compare(x.Start, y.Start),
		cmp.Compare(a, b)) < 0
}

func (s *Span) calls() bool { return s.Kind == wire.KindClient || s.Kind == wire.KindProducer }

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// walk computes the own time of each span on the path.
func (p *path) walk(k *Skeleton, root int32) {
	clear(p.own)
	s := &k.Spans[root]
	p.stack = append(p.stack[:0], k.enter(root, s.Start, s.Start+s.duration(), 0))
	for len(p.stack) > 0 {
		f := &p.stack[len(p.stack)-1]
		if len(f.children) == 0 || f.at <= f.start {
			p.own[f.span] += f.at - f.start
			p.stack = p.stack[:len(p.stack)-1]
			continue
		}
		child := f.children[0]
		f.children = f.children[1:]
		start, end, shift, waited := k.within(f, child)
		if !waited {
			continue
		}
		p.own[f.span] += f.at - end
		f.at = start
		p.stack = append(p.stack, k.enter(child, start, end, shift))
	}
}

// enter returns the frame of a span that is on the path in this range.
func (k *Skeleton) enter(span int32, start, end uint64, shift int64) frame {
	children := k.childrenOf(int(span))
	slices.SortFunc(children, func(a, b int32) int {
		x, y := &k.Spans[a], &k.Spans[b]
		return cmp.Or(cmp.Compare(y.End, x.End), cmp.Compare(x.Start, y.Start), cmp.Compare(a, b))
	})
	return frame{span: span, children: children, start: start, end: end, at: end, shift: shift}
}

// within returns the times of a child on the root's clock, and whether the frame's span could have waited for it. A remote
// child has a clock of its own: if it fits, it is moved into the call by the least shift.
func (k *Skeleton) within(f *frame, child int32) (start, end uint64, shift int64, waited bool) {
	c, p := &k.Spans[child], &k.Spans[f.span]
	if c.Start == 0 || c.End <= c.Start || c.Kind == wire.KindConsumer {
		return 0, 0, 0, false
	}
	shift = f.shift
	start, end = shiftedBy(c.Start, shift), shiftedBy(c.End, shift)
	if c.Kind == wire.KindServer && p.calls() && c.duration() <= f.end-f.start {
		switch {
		case start < f.start:
			shift += int64(f.start - start)
		case end > f.end:
			shift -= int64(end - f.end)
		}
		start, end = shiftedBy(c.Start, shift), shiftedBy(c.End, shift)
	}
	start = max(start, f.start)
	return start, end, shift, start < end && end <= f.at
}

func shiftedBy(t uint64, by int64) uint64 { return uint64(int64(t) + by) }
