package sim

import "time"

// Some faults are seen only where several things go wrong one after the other, which chance alone seldom draws.

// once takes a turn of a goroutine of which there is one, unless it is being taken.
func (w *World) once(goroutine string, turn func()) {
	if w.busy[goroutine] {
		return
	}
	w.busy[goroutine] = true
	defer delete(w.busy, goroutine)
	turn()
}

// interleave takes others' turns while a shard is given up: for as long as files of it are read or made, or only to let others in.
func (w *World) interleave() {
	if w.starting || w.healing || w.ended() || w.rng.IntN(3) > 0 {
		return
	}
	w.log("a shard is given up:")
	w.meanwhile(1 + w.rng.IntN(3))
}

// relapses flushes what a process before had left, and has the power be cut soon after that. Or else it may begin with a siege, as long as
// what was left is in no memory.
func (w *World) relapses() {
	w.besieged = w.lives > 1 && w.scenario.sieges && w.rng.IntN(2) == 0
	if !w.relapse {
		return
	}
	w.relapse = false
	w.flush()
	w.cutSoon()
}

// cutSoon has the power be cut a few instants from now.
func (w *World) cutSoon() { w.death.in, w.death.cut = 1+w.rng.IntN(15), true }

// failFlush has a flush fail, and another one after it succeed. Then the power is cut.
func (w *World) failFlush() {
	if w.depth > 0 || !w.scenario.cuts || !w.scenario.kills || w.scenario.config.Fsync != "interval" {
		return
	}
	for range 1 + w.rng.IntN(20) {
		w.sendIfAlive()
	}
	before := w.disk.faults
	w.disk.faults = DiskFaults{Fsync: true}
	w.flush()
	w.disk.faults = DiskFaults{}
	w.sendIfAlive()
	w.flush()
	w.disk.faults = before
	if w.lasts() {
		w.cutSoon()
	}
}

func (w *World) sendIfAlive() {
	if w.lasts() {
		w.send()
	}
}

// siege is a destination that fails, for whatever reason, while more and more of what waits for it cannot be read.
func (w *World) siege() {
	if w.depth > 0 || !w.scenario.sieges {
		return
	}
	d := w.destinations[w.order[w.rng.IntN(len(w.order))]]
	d.mood = failsAll
	w.log("%s, and is besieged", d)
	for range 1 + w.rng.IntN(8) {
		w.hold(200 * time.Millisecond)
	}
	if !w.lasts() {
		return
	}
	w.disk.faults, w.tally.misread = DiskFaults{Read: true, Evict: true}, true
	w.log("disk: %+v", w.disk.faults)
	for range 20 + w.rng.IntN(60) {
		w.hold(pick(w.rng, time.Second, 5*time.Second, 31*time.Second))
	}
	w.disk.faults = DiskFaults{}
}

// hold takes the turns that are due, and lets time go by.
func (w *World) hold(d time.Duration) {
	if w.lasts() {
		w.work()
		w.sleep(d)
	}
}
