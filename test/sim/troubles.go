package sim

import "time"

// Some faults show only after several failures in sequence, which random steps seldom produce.

// once takes a turn of a single goroutine, unless one is in progress.
func (w *World) once(goroutine string, turn func()) {
	if w.busy[goroutine] {
		return
	}
	w.busy[goroutine] = true
	defer delete(w.busy, goroutine)
	turn()
}

// interleave takes other turns while a shard is unlocked: while its files are read or created, or only to let others in.
func (w *World) interleave() {
	if w.starting || w.healing || w.ended() || w.rng.IntN(3) > 0 {
		return
	}
	w.log("a shard is given up:")
	w.meanwhile(1 + w.rng.IntN(3))
}

// relapses flushes the previous process's files, and schedules a power cut soon after that. Or it begins with a siege, while the
// recovered spans are in no memory.
func (w *World) relapses() {
	w.besieged = w.lives > 1 && w.scenario.sieges && w.rng.IntN(2) == 0
	if !w.relapse {
		return
	}
	w.relapse = false
	w.flush()
	w.cutSoon()
}

// cutSoon schedules a power cut a few instants from now.
func (w *World) cutSoon() { w.death.in, w.death.cut = 1+w.rng.IntN(15), true }

// failFlush makes one flush fail, and a later one succeed. Then the power is cut.
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

// siege makes a destination fail, for any reason, while more and more of its backlog becomes unreadable.
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

// hold takes the due turns, and lets time pass.
func (w *World) hold(d time.Duration) {
	if w.lasts() {
		w.work()
		w.sleep(d)
	}
}
