package skeleton

import (
	"cmp"
	"slices"
	"sort"

	"github.com/slowburn/slowburn/internal/wire"
)

// few is the largest number of pairs of servers that are compared one by one.
const few = 64

// overlap reports whether servers of two calls, of the same service, worked at the same time.
func (k *Skeleton) overlap(earlier, later int32) bool {
	before, after := k.childrenOf(int(earlier)), k.childrenOf(int(later))
	if len(before)*len(after) > few {
		return k.overlapOfMany(earlier, after)
	}
	for _, a := range before {
		for _, b := range after {
			x, y := &k.Spans[a], &k.Spans[b]
			if x.Kind == wire.KindServer && y.Kind == wire.KindServer && x.Service == y.Service && y.Start < x.End && x.Start < y.End {
				return true
			}
		}
	}
	return false
}

// work holds the times when the servers of a call worked, sorted by service and start.
type work struct {
	of      int32 // the call, by the index of its span; -1 for none
	periods []period
}

// period is the start of a server's work, and the latest end of it and of those before it of the same
// service.
type period struct{ service, start, latest uint64 }

// overlapOfMany reports whether servers of two calls overlap, as overlap does, for an earlier call with many
// servers. It sorts them once, because they are compared with the servers of many later calls.
func (k *Skeleton) overlapOfMany(earlier int32, after []int32) bool {
	w := &k.worked
	if w.of != earlier {
		w.begin(k, earlier)
	}
	for _, b := range after {
		y := &k.Spans[b]
		if y.Kind != wire.KindServer {
			continue
		}
		n := sort.Search(len(w.periods), func(i int) bool { // the first that began too late
			p := &w.periods[i]
			return p.service > y.Service || p.service == y.Service && p.start >= y.End
		})
		if n > 0 && w.periods[n-1].service == y.Service && y.Start < w.periods[n-1].latest {
			return true
		}
	}
	return false
}

// begin sets w to another call.
func (w *work) begin(k *Skeleton, call int32) {
	w.of, w.periods = call, w.periods[:0]
	for _, a := range k.childrenOf(int(call)) {
		if x := &k.Spans[a]; x.Kind == wire.KindServer {
			w.periods = append(w.periods, period{x.Service, x.Start, x.End})
		}
	}
	slices.SortFunc(w.periods, func(a, b period) int { return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.start, b.start)) })
	for i := 1; i < len(w.periods); i++ {
		if p, before := &w.periods[i], &w.periods[i-1]; p.service == before.service {
			p.latest = max(p.latest, before.latest)
		}
	}
}
