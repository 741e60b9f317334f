package spanlog

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/cold"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// factLog is a log, and what was appended to it.
type factLog struct {
	t      testing.TB
	log    *Log
	pool   *Pool
	rnd    *rand.Rand
	chains []Chain
	want   [][]string // by chain: the facts with their identities
	bodies [][]string // by chain: the records
	known  map[string]*Origin
	next   uint64
}

func newFactLog(t testing.TB, disk bool, seed uint64) *factLog {
	f := &factLog{t: t, rnd: rand.New(rand.NewPCG(seed, 7)), chains: make([]Chain, 12), want: make([][]string, 12), bodies: make([][]string, 12), known: map[string]*Origin{}}
	if disk {
		f.log, f.pool = newDiskLog(t, t.TempDir())
	} else {
		f.log, f.pool = newLog(t)
	}
	return f
}

// identify returns the beginning of a resource: resources of tests differ in it.
func identify(resource []byte) (id Identity) {
	copy(id[:], resource)
	return id
}

// append appends a span of so many bytes to a chain, with a fact or without.
func (f *factLog) append(n, size int, fact bool) {
	if f.pool.Reserve(int64(size+200), 0) != nil {
		return // it is full for a while
	}
	defer f.pool.Cancel(int64(size + 200))
	f.next++
	o, body := f.origin(), fmt.Sprintf("%d %s", f.next, strings.Repeat(".", size))
	f.bodies[n] = append(f.bodies[n], string(o.Resource)+"/"+string(o.Scope)+"/"+body)
	if !fact {
		f.log.Append(&f.chains[n], o, []byte(body))
		return
	}
	var content Fact
	for i := range content {
		content[i] = byte(f.rnd.Uint32())
	}
	binary.LittleEndian.PutUint64(content[:], f.next)
	id := identify(o.Resource)
	f.want[n] = append(f.want[n], string(content[:])+string(id[:]))
	f.log.AppendWithFact(&f.chains[n], o, []byte(body), &content, identify)
}

// origin returns one of a few, at times one that was appended with before.
func (f *factLog) origin() *Origin {
	resource, scope := fmt.Sprintf("resource %d", f.rnd.IntN(5)), fmt.Sprintf("scope %d", f.rnd.IntN(3))
	o, known := f.known[resource+scope]
	if !known || f.rnd.IntN(3) == 0 {
		o = origin(resource, scope)
		f.known[resource+scope] = o
	}
	return o
}

func (f *factLog) release(n int) {
	f.log.Release(&f.chains[n])
	f.want[n], f.bodies[n] = nil, nil
}

// read returns the facts of a chain, and whether the log has all that there are.
func (f *factLog) read(n int) (got []string, all bool) {
	all = f.log.Facts(f.chains[n], func(fact *Fact, id *Identity) { got = append(got, string(fact[:])+string(id[:])) })
	return got, all
}

// check reads all chains: what the log says are facts of a chain are, and if there are as many as records they are all. If whole is set
// there must be.
func (f *factLog) check(whole bool) {
	for n := range f.chains {
		require.Equal(f.t, f.bodies[n], bodies(f.log, f.chains[n]))
		got, all := f.read(n)
		for _, one := range got {
			require.Contains(f.t, f.want[n], one)
		}
		require.Len(f.t, slices.Compact(slices.Sorted(slices.Values(got))), len(got), "a fact is yielded once")
		if all && len(got) == len(f.bodies[n]) {
			require.ElementsMatch(f.t, f.want[n], got)
		}
		if whole && len(f.bodies[n]) > 0 {
			require.True(f.t, all)
			require.ElementsMatch(f.t, f.want[n], got)
		}
	}
}

func (f *factLog) shrink(pack, disk bool) {
	if w := f.log.BeginShrink(pack, disk); w != nil {
		if f.rnd.IntN(3) == 0 {
			f.check(false) // while it is busy
		}
		w.Run()
		_, err := f.log.EndShrink(w)
		require.NoError(f.t, err)
		w.Free()
	}
}

// However segments change, facts are those that were appended, or are missing; and while segments with few spans are not copied out
// of files, none is missing.
func TestFacts(t *testing.T) {
	for seed := range uint64(24) {
		disk, whole := seed%2 == 0, seed%4 < 2
		t.Run(fmt.Sprintf("%d: disk %v, whole %v", seed, disk, whole), func(t *testing.T) {
			f := newFactLog(t, disk, seed)
			for step := range 1000 {
				n := f.rnd.IntN(len(f.chains))
				switch action := f.rnd.IntN(100); {
				case action < 3:
					f.release(n)
				case action < 5:
					f.shrink(!disk || f.rnd.IntN(2) == 0, false) // memory is compressed, or stays
				case action < 6 && disk:
					f.shrink(true, true)
				case action < 7 && !whole:
					f.log.Compact(f.rnd.Float64(), true, nil)
				case action < 8 && !whole:
					f.append(n, f.rnd.IntN(20_000), true) // some are stored apart
				case action < 12 && !whole:
					f.append(n, f.rnd.IntN(300), false)
				case action == 12 && !whole:
					f.log.seal()
				default:
					f.append(n, f.rnd.IntN(400), true)
				}
				if step%200 == 199 {
					f.check(whole)
				}
			}
			for n := range f.chains {
				f.release(n)
			}
			require.Zero(t, f.pool.reading.Open(), "the files of segments that are gone are closed")
		})
	}
}

// A segment in memory is copied forward with its facts.
func TestFactsAreCopiedForward(t *testing.T) {
	f := newFactLog(t, true, 1)
	for range 30 {
		for n := range f.chains {
			f.append(n, 300, true)
		}
	}
	for n := range 10 {
		f.release(n)
	}
	require.Positive(t, f.log.Compact(1, true, nil))
	f.check(true)
}

// Facts and records grow towards each other. However full a segment is, it reads back without a sign of a record that was being written.
func TestFactsLeaveNoTornTail(t *testing.T) {
	for seed := range uint64(20) {
		dir := t.TempDir()
		l, p := newDiskLog(t, dir)
		f := &factLog{t: t, log: l, pool: p, rnd: rand.New(rand.NewPCG(seed, 3)), chains: make([]Chain, 3), want: make([][]string, 3), bodies: make([][]string, 3), known: map[string]*Origin{}}
		for range 400 {
			n := f.rnd.IntN(3)
			f.append(n, f.rnd.IntN(60), f.rnd.IntN(10) > 0)
			if room := l.list[l.active].room(); room > 100 && room < 1000 { // fill it to the last byte
				o := origin("resource 0", "scope 0")
				l.names.place(&l.list[l.active], o)
				body := fmt.Sprintf("%0*d", l.list[l.active].room()-format.RecordHeaderSize, f.next)
				f.bodies[n] = append(f.bodies[n], "resource 0/scope 0/"+body)
				l.Append(&f.chains[n], o, []byte(body))
				require.Zero(t, l.list[l.active].room())
			}
		}
		if seed%2 == 0 {
			for range 3 {
				f.shrink(seed%4 == 0, false)
			}
		}
		crashed := t.TempDir()
		copyFiles(t, dir, crashed)
		got, damage := readAll(t, crashed)
		require.Empty(t, damage)
		require.ElementsMatch(t, slices.Concat(f.bodies...), got)
	}
}

// Facts of a damaged file are not believed: the spans are there to be read.
func TestDamagedFacts(t *testing.T) {
	for _, pack := range []bool{false, true} {
		f := newFactLog(t, true, 5)
		for range 200 {
			f.append(f.rnd.IntN(len(f.chains)), 200, true)
		}
		for range 10 {
			f.shrink(pack, false)
		}
		damaged := 0
		for i := range f.log.list {
			s := &f.log.list[i]
			if s.cold == nil || s.cold.Facts.Slots == 0 {
				continue
			}
			damaged++
			path := f.pool.disk.Load().File(s.cold.File)
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			b[int(s.cold.Facts.At)+f.rnd.IntN(int(s.cold.Facts.Slots)*FactSize)] ^= 1 << f.rnd.IntN(8)
			require.NoError(t, os.WriteFile(path, b, 0o600))
			_, err = s.cold.LoadFacts(f.pool.disk.Load())
			require.ErrorIs(t, err, cold.ErrChanged)
		}
		require.Positive(t, damaged)
		f.check(false)
		for n := range f.chains {
			_, all := f.read(n)
			require.False(t, all)
		}
	}
}

// Damage in memory that a disk returned wrongly neither ends the process nor goes on for ever.
func TestDamagedFactsInMemory(t *testing.T) {
	for seed := range uint64(200) {
		f := newFactLog(t, false, seed)
		for range 40 {
			f.append(f.rnd.IntN(3), 100, true)
		}
		s := &f.log.list[f.log.active]
		facts := format.FactsOf(s.mem.Buf, s.slots)
		for range 20 {
			facts[f.rnd.IntN(len(facts))] = byte(f.rnd.Uint32())
		}
		for n := range 3 {
			got, _ := f.read(n)
			require.LessOrEqual(t, len(got), int(s.slots))
		}
		f.log.seal()
		f.log.Compact(1, true, nil)
	}
}

// Nothing is allocated for a fact, be it appended, or read from a page that is kept.
func TestFactsDoNotAllocate(t *testing.T) {
	f := newFactLog(t, true, 9)
	for range 100 {
		f.append(0, 200, true)
	}
	for range 3 {
		f.shrink(false, false)
	}
	facts := 0
	count := func(*Fact, *Identity) { facts++ }
	require.True(t, f.log.Facts(f.chains[0], count))
	require.Zero(t, testing.AllocsPerRun(20, func() { f.log.Facts(f.chains[0], count) }))
	require.Equal(t, 100*22, facts)
}
