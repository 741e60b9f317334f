package parts

import (
	"cmp"
	"math"
	"slices"

	"github.com/slowburn/slowburn/slo"
)

// want is what one row should get of a slot's events.
type want struct {
	key key
	n   float64 // and what rounding owes
	got uint64
}

// book gives the parts of a slot as many events as the ledger has and they lack. deltas say whose they are. Of what no delta explains,
// a fresh slot gives the rest to Other; in another slot the rest belongs to parts that are no longer kept.
func (t *table) book(slot int, e slo.Events, deltas []Delta, fresh bool) {
	has := t.events(slot)
	for _, bad := range []bool{false, true} {
		missing := lacking(e.Total, has.Total)
		if bad {
			missing = lacking(e.Bad, has.Bad)
		}
		if missing == 0 && !fresh {
			continue // the ledger did not take these deltas
		}
		wants := t.wants(deltas, bad)
		missing -= share(wants, missing)
		for _, w := range wants {
			r := t.at(w.key)
			r.n[slot] += w.got
			r.rest = clampRest(w.n - float64(w.got))
		}
		if fresh && missing > 0 {
			t.at(otherKey(bad)).n[slot] += missing
		}
	}
}

func lacking(whole, has uint64) uint64 {
	if has >= whole {
		return 0
	}
	return whole - has
}

func otherKey(bad bool) key {
	k := key{Part{Service: Other, Operation: Other, Version: Other}, bad}
	if bad {
		k.part.Reason = Other
	}
	return k
}

// wants adds up the deltas of all events, or of bad ones, by row, in the order of the keys.
func (t *table) wants(deltas []Delta, bad bool) []*want {
	var list []*want
	at := make(map[key]*want, len(deltas))
	for _, d := range deltas {
		if d.Bad != bad || math.IsNaN(d.N) || math.IsInf(d.N, 0) || d.N <= 0 {
			continue
		}
		k := key{d.Part.cut(), bad}
		if !bad {
			k.part.Reason = ""
		}
		w := at[k]
		if w == nil {
			w = &want{key: k}
			at[k] = w
			if i, ok := t.index[k]; ok {
				w.n = t.rows[i].rest
			}
			list = append(list, w)
		}
		w.n += d.N
	}
	slices.SortFunc(list, func(a, b *want) int { return a.key.compare(b.key) })
	return list
}

// share distributes at most n events, each want rounded down and then, of what is left, one to each in the order of their fractions.
// It returns how many were distributed.
func share(wants []*want, n uint64) (given uint64) {
	for _, w := range wants {
		w.got = n - given
		if w.n < float64(w.got) {
			w.got = uint64(max(w.n, 0))
		}
		given += w.got
	}
	if given == n {
		return n
	}
	slices.SortFunc(wants, func(a, b *want) int {
		return cmp.Or(cmp.Compare(b.n-float64(b.got), a.n-float64(a.got)), a.key.compare(b.key))
	})
	for _, w := range wants {
		if given == n || w.n <= float64(w.got) {
			break
		}
		w.got++
		given++
	}
	return given
}

// clampRest bounds what is owed to less than an event.
func clampRest(v float64) float64 {
	const most = float64(restUnit-1) / restUnit
	return min(max(math.Round(v*restUnit)/restUnit, -most), most)
}
