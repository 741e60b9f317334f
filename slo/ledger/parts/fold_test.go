package parts

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
)

// sums adds up a table's events by the given dimensions.
func sums(t *table, by ...Dimension) map[Part]slo.Events {
	all := map[Part]slo.Events{}
	for i := range t.rows {
		r := t.rows[i]
		e := slo.Events{Total: r.sum()}
		if r.bad {
			e = slo.Events{Bad: r.sum()}
		}
		if e != (slo.Events{}) {
			all[r.part.project(by)] = all[r.part.project(by)].Add(e)
		}
	}
	return all
}

// TestFoldLosesNothing folds random tables: no event is lost, the limits are kept, and a service or a version that has a row of its own
// has all its events in it.
func TestFoldLosesNothing(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		services, versions, operations := 1+rnd.IntN(25), 1+rnd.IntN(4), 1+rnd.IntN(30)
		tab := newTable(60)
		for range rnd.IntN(400) {
			p := Part{fmt.Sprint(rnd.IntN(services)), fmt.Sprint(rnd.IntN(operations)), fmt.Sprint(rnd.IntN(versions)), ""}
			if rnd.IntN(20) == 0 {
				p.Operation = Other
			}
			if rnd.IntN(20) == 0 {
				p.Version = Other
			}
			tab.at(key{part: p}).n[rnd.IntN(60)] += uint64(rnd.IntN(100))
			if rnd.IntN(4) == 0 {
				p.Reason = fmt.Sprint(rnd.IntN(10))
				tab.at(key{p, true}).n[rnd.IntN(60)] += uint64(rnd.IntN(10))
			}
		}
		before := map[string]map[Part]slo.Events{"service": sums(tab, Service), "version": sums(tab, Service, Version)}
		all := sums(tab)
		tab.fold()
		require.Equal(t, all, sums(tab), seed)
		require.LessOrEqual(t, len(tab.groups()), maxGroups, seed)
		bad := 0
		for i := range tab.rows {
			require.Equal(t, i, tab.index[tab.rows[i].key])
			require.False(t, tab.rows[i].empty())
			if tab.rows[i].bad {
				bad++
			}
		}
		require.LessOrEqual(t, bad, maxReasons, seed)
		for name, after := range map[string]map[Part]slo.Events{"service": sums(tab, Service), "version": sums(tab, Service, Version)} {
			for p, e := range after {
				if p.Service != Other && p.Version != Other {
					require.Equal(t, before[name][p], e, "%d: %s %v", seed, name, p)
				}
			}
		}
	}
}

// TestFoldKeepsTheWorst folds the parts with the fewest bad events, however many events others have.
func TestFoldKeepsTheWorst(t *testing.T) {
	tab := newTable(60)
	for i := range 100 {
		p := Part{Service: "shop", Version: "1", Operation: fmt.Sprint(i)}
		tab.at(key{part: p}).n[0] = uint64(1000 + i)
		if i < 10 {
			p.Reason = "500"
			tab.at(key{p, true}).n[0] = uint64(1 + i)
		}
	}
	tab.fold()
	operations := sums(tab, Operation)
	assert.Len(t, operations, maxGroups)
	for i := range 10 {
		assert.Contains(t, operations, Part{Operation: fmt.Sprint(i)}, "it has bad events")
	}
	for i := 95; i < 100; i++ {
		assert.Contains(t, operations, Part{Operation: fmt.Sprint(i)}, "it has many events")
	}
	assert.Contains(t, operations, Part{Operation: Other})
}

// TestFoldKeepsReasons folds the rarest reasons of parts that have several.
func TestFoldKeepsReasons(t *testing.T) {
	tab := newTable(60)
	for i := range 60 {
		tab.at(key{Part{Service: "shop", Reason: fmt.Sprint(i)}, true}).n[0] = uint64(1 + i)
	}
	tab.fold()
	reasons := sums(tab, Reason)
	assert.Len(t, reasons, maxReasons)
	assert.Contains(t, reasons, Part{Reason: "59"})
	assert.NotContains(t, reasons, Part{Reason: "0"})
	total := uint64(0)
	for e := range maps.Values(reasons) {
		total += e.Bad
	}
	assert.Equal(t, uint64(60*61/2), total)
}

func TestLongTextsAreCut(t *testing.T) {
	long := ""
	for range maxText {
		long += "ü"
	}
	p := Part{Service: long, Operation: "short"}.cut()
	assert.Len(t, p.Service, maxText)
	assert.Equal(t, "short", p.Operation)
	p = Part{Service: "a" + long}.cut()
	assert.Len(t, p.Service, maxText-1, "no rune is cut in two")
}
