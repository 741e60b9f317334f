package index

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
)

type entry struct {
	Node
	value int
}

// Lists of both kinds hold the same entries in separate orders.
func TestLists(t *testing.T) {
	for _, kind := range []Kind{ByState, ByQuiet} {
		var x Index[entry, *entry]
		l, other := NewList[entry](kind), NewList[entry](ByQuiet-kind)
		var model, everything []Slot
		rnd := rand.New(rand.NewPCG(1, 1))
		for range 3000 {
			switch {
			case rnd.IntN(2) == 0:
				n, _ := x.New(1, wire.TraceID{})
				l.PushBack(&x, n)
				other.PushBack(&x, n)
				model, everything = append(model, n), append(everything, n)
			case len(model) > 0:
				i := rnd.IntN(len(model))
				n := model[i]
				l.Remove(&x, n)
				other.Remove(&x, n)
				x.Free(n)
				model = append(model[:i:i], model[i+1:]...)
				everything = slices.DeleteFunc(everything, func(s Slot) bool { return s == n })
			}
			require.Equal(t, append([]Slot(nil), model...), slots(&l, &x))
			require.Equal(t, append([]Slot(nil), everything...), slots(&other, &x))
			require.Equal(t, len(model) == 0, l.Empty())
			if len(model) > 0 {
				require.Equal(t, model[len(model)-1], l.tail)
			}
		}
	}
}

func slots(l *List[entry, *entry], x *Index[entry, *entry]) (got []Slot) {
	prev := Slot(0)
	for n := l.Head(); n != 0; n = l.Next(x, n) {
		if l.Prev(x, n) != prev {
			panic("an entry is not the one before the next")
		}
		got, prev = append(got, n), n
	}
	return got
}

// Filed entries are found, even several with equal hashes.
func TestIndexFindsWhatIsFiled(t *testing.T) {
	var x Index[entry, *entry]
	filed := map[wire.TraceID]Slot{}
	rnd := rand.New(rand.NewPCG(2, 2))
	for i := range 5000 {
		id := wire.TraceID{byte(rnd.IntN(200)), 1}
		hash := uint32(id[0] % 16)
		if n := filed[id]; n != 0 {
			require.Equal(t, id, x.At(n).ID)
			x.Unfile(n)
			if i%2 == 0 {
				x.Free(n)
			}
			require.Equal(t, i%2 != 0, x.Has(n))
			delete(filed, id)
		} else {
			n, e := x.New(hash, id)
			require.Zero(t, e.value)
			e.value = i
			require.Zero(t, x.Find(hash, &id), "not before it is filed")
			x.File(n)
			filed[id] = n
			require.True(t, x.Has(n))
		}
		for n := range 200 {
			id := wire.TraceID{byte(n), 1}
			require.Equal(t, filed[id], x.Find(uint32(id[0]%16), &id))
		}
	}
	found := map[wire.TraceID]Slot{}
	x.Filed(func(n Slot) { found[x.At(n).ID] = n })
	require.Equal(t, filed, found)
	require.Positive(t, x.Bytes())
}
