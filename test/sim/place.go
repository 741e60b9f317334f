package sim

import (
	"errors"
	"slices"

	"github.com/slowburn/slowburn/slo/sli"
)

// place holds counts in memory, as records in order. Appended records survive the process, and committed ones a power cut too, if
// they were settled. It implements sli.Place.
type place struct {
	w           *World
	generations []*generation
	room        int  // bytes of a log
	ended       bool // the process is dead
	broken      bool // nothing can be created or appended
	rebooted    bool // after a power cut logs are unreliable
}

// generation is a log, and the snapshot before it. It implements sli.Generation.
type generation struct {
	place              *place
	log, snapshot      [][]byte
	bytes, room        int
	committed, settled bool
	abandoned, full    bool
}

var errPlace = errors.New("no space left on device")

// survive returns the place as the next process finds it.
func (p *place) survive(cut bool) *place {
	after := &place{w: p.w, room: p.room, rebooted: p.rebooted || cut, broken: p.broken}
	for _, g := range p.generations {
		copied := *g
		copied.place = after
		copied.log, copied.snapshot = slices.Clone(g.log), slices.Clone(g.snapshot)
		after.generations = append(after.generations, &copied)
	}
	p.ended = true
	return after
}

// Recover implements sli.Place.
func (p *place) Recover(take func([]byte) error) (f sli.Found, err error) {
	p.w.at("recover counts")
	list := p.generations
	if len(list) == 0 {
		return f, nil
	}
	if p.rebooted {
		p.rebooted = false
		f.Lost = "the machine was started anew"
		return f, nil
	}
	first := len(list) - 1
	for first > 0 && !list[first].committed {
		first--
	}
	for i, g := range list[first:] {
		if g.abandoned {
			return sli.Found{Lost: "counting went on in memory"}, nil
		}
		records := g.log
		if i == 0 {
			records = slices.Concat(g.snapshot, g.log)
		}
		for _, r := range records {
			if err := take(r); err != nil {
				return sli.Found{Lost: err.Error()}, nil //nolint:nilerr // the interface tells it in what was found
			}
			f.Records++
		}
	}
	return f, nil
}

// Abandon implements sli.Place.
func (p *place) Abandon() error {
	if n := len(p.generations); n > 0 && !p.ended {
		p.generations[n-1].abandoned = true
	}
	return nil
}

// Begin implements sli.Place. The simulation sets the room, so that logs fill up often.
func (p *place) Begin(int) (sli.Generation, error) {
	p.w.at("begin counts")
	if p.ended || p.broken {
		return nil, errPlace
	}
	g := &generation{place: p, room: p.room}
	p.generations = append(p.generations, g)
	return g, nil
}

// Close implements sli.Place.
func (p *place) Close() error { return nil }

// Append implements sli.Generation.
func (g *generation) Append(record []byte) bool {
	g.place.w.at("count")
	if g.place.ended || g.full || g.place.broken || g.bytes+len(record) > g.room {
		g.full = true
		return false
	}
	g.bytes += len(record)
	g.log = append(g.log, slices.Clone(record))
	g.place.w.at("counted")
	return true
}

// Mark implements sli.Generation.
func (g *generation) Mark() bool { return !g.full }

// Fill implements sli.Generation.
func (g *generation) Fill() float64 {
	if g.full {
		return 1
	}
	return float64(g.bytes) / float64(g.room)
}

// Check implements sli.Generation.
func (g *generation) Check(bool) error { return nil }

// Commit implements sli.Generation.
func (g *generation) Commit(snapshot func(write func([]byte) error) error) (int64, error) {
	var all [][]byte
	bytes := 0
	err := snapshot(func(record []byte) error {
		all = append(all, slices.Clone(record))
		bytes += len(record)
		if bytes%5 == 0 { // sometimes
			g.place.w.at("snapshot")
		}
		return nil
	})
	g.place.w.at("commit counts")
	if err == nil && (g.place.ended || g.place.broken) {
		err = errPlace
	}
	if err != nil {
		return 0, err
	}
	g.snapshot, g.committed = all, true
	g.place.w.at("committed counts")
	return int64(bytes), nil
}

// Sync implements sli.Generation.
func (g *generation) Sync() error {
	g.place.w.at("settle counts")
	if g.place.ended {
		return errPlace
	}
	g.settled = true
	p := g.place
	if i := slices.Index(p.generations, g); i > 0 {
		p.generations = slices.Clone(p.generations[i:])
	}
	return nil
}

// Abandon implements sli.Generation.
func (g *generation) Abandon() error {
	if !g.place.ended {
		g.abandoned = true
	}
	return nil
}

// Close implements sli.Generation.
func (g *generation) Close() error { return nil }

// Release implements sli.Generation.
func (g *generation) Release() {}
