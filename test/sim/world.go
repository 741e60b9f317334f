package sim

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/slo/sli"
)

// World is a gateway, its environment, and what is known of its work. It is for one goroutine, in a bubble of testing/synctest,
// whose clock is the world's.
type World struct {
	seed     uint64
	rng      *rand.Rand
	scenario scenario
	record   bytes.Buffer // of the steps
	steps    int
	problems []string
	began    time.Time
	clock    machineClock

	disk    *Disk
	gateway *tailsampling.Stepped
	// place, front and database count spans before they are sampled. Front is nil if spans are not counted.
	place    *place
	front    *sli.Stepped
	database *database
	names    int
	alerts   alerts
	sent     []*request
	ledger   []byte // left by the previous process
	depth    int    // of nested steps, taken while a destination hangs
	death    death

	all          []*trace
	open         []*trace // with spans to send
	traces       map[[16]byte]*trace
	spans        map[[8]byte]*span
	unanswered   []*request
	answered     []*request // the latest ones
	requests     int
	destinations map[string]*backend
	order        []string // of the destinations
	settling     []settling
	journaled    int // events, in all lives
	shards       int
	relapse      bool // the next life ends soon, by a power cut
	besieged     bool // the next step is a siege
	starting     bool
	busy         map[string]bool // single goroutines whose turn is in progress
	healing      bool            // no more faults
	lives        int
	restore      func() // restores the process's clock
	tally        tally
}

// death is how the process ends.
type death struct {
	in     int // number of instants until then, 0 for never
	cut    bool
	before image  // of the disk, one instant earlier
	place  *place // afterwards
	ledger []byte // likewise
	done   bool
	torn   bool  // the file being stored is torn
	disk   *Disk // afterwards
}

// tally is the sum of all lives' counters.
type tally struct {
	givenUp map[string]int64
	lost    int64
	misread bool // a disk failed a read or a store: spans may be lost, and are counted
	unsafe  bool // a power cut lost bytes that were not flushed
	// countsLost means that counting restarted at zero, after a power cut or a failed disk.
	countsLost bool
	// byArrival means that the clock of a service seemed off, so that its events belonged to the minutes of their arrival.
	byArrival bool
}

// log records a step.
func (w *World) log(format string, args ...any) {
	fmt.Fprintf(&w.record, "%10.3f %*s%s\n", time.Since(w.began).Seconds(), 2*w.depth, "", fmt.Sprintf(format, args...))
}

// problem records a broken law.
func (w *World) problem(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.log("BROKEN: %s", text)
	w.problems = append(w.problems, text)
}

// at is an instant at which the process may end.
func (w *World) at(what string) {
	if w.death.in == 0 || w.death.done {
		return
	}
	w.death.in--
	switch w.death.in {
	case 1:
		w.death.before = w.disk.image()
	case 0:
		w.death.done = true
		w.death.ledger = w.copyLedger()
		if w.death.cut {
			w.log("the power is cut at: %s", what)
			w.death.disk = w.disk.CutPower()
			w.death.place = w.place.survive(true)
		} else {
			w.log("the process is killed at: %s", what)
			w.death.disk = w.disk.Kill(w.death.before)
			w.death.torn = w.death.disk.torn
			w.death.place = w.place.survive(false)
		}
	}
}

// ended reports whether the process is dead: its operations have no effect.
func (w *World) ended() bool { return w.death.done }

// sleep lets time pass. No two instants of the simulation coincide with those of other timers.
func (w *World) sleep(d time.Duration) {
	time.Sleep(d + 7)
	if d := w.database; d.broken && w.elapsed()-d.since > longestOutage {
		w.log("the database is there again")
		d.broken = false
	}
}

// longestOutage is the longest outage of the database: series born in an outage of less than an hour must be counted.
const longestOutage = 45 * time.Minute

// guard gives the process a clock of its own.
func (w *World) guard() (restore func()) {
	return clock.Simulate(func() (time.Time, time.Duration) {
		now := time.Now()
		return now.Add(w.clock.off), now.Sub(w.began)
	})
}

// machineClock is the offset of the machine's clock from the true time.
type machineClock struct {
	off  time.Duration
	sure bool          // a process must know the true time: it and earlier ones started with it, and no jump has lasted
	at   time.Duration // of the last jump
}

// setClock sets the offset of the machine's clock. A jump must not be believed before it has lasted for DoubtTime.
func (w *World) setClock(off time.Duration) {
	c := &w.clock
	c.sure = w.trueTime()
	if off != c.off {
		c.off, c.at = off, w.elapsed()
	}
}

// trueTime reports whether the process must know the true time.
func (w *World) trueTime() bool {
	c := &w.clock
	return c.sure && (c.off == 0 || w.elapsed()-c.at < clock.DoubtTime-time.Minute)
}

// settle records that destinations have the spans that they accepted in a completed step.
func (w *World) settle() {
	if !w.ended() {
		for _, s := range w.settling {
			s.d.settled[s.id] = true
		}
	}
	w.settling = w.settling[:0]
}

// elapsed returns the time since the world began.
func (w *World) elapsed() time.Duration { return time.Since(w.began) }

// now returns the true time.
func (w *World) now() time.Time { return time.Now() }

func pick[T any](rng *rand.Rand, list ...T) T { return list[rng.IntN(len(list))] }

func remove[T comparable](list []T, x T) []T {
	if i := slices.Index(list, x); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// brief returns the beginning of an error, which does not depend on the machine.
func brief(err error) string {
	if err == nil {
		return "ok"
	}
	text, _, _ := strings.Cut(err.Error(), ": the volume")
	return text[:min(len(text), 120)]
}
