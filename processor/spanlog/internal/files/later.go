package files

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/mapped"
)

// later is what is done to files without a shard's mutex: they leave, in the order in which they were given up, and journals are made
// before they are needed. Until Defer is called everything is done at once, by whoever asks for it. It is safe for concurrent use.
//
// A file that leaves counts as used until it is gone, so that the budget of the disk bounds how many wait. A crash brings none of them
// back: what is in one that is not marked as free yet is in a journal, and that leaves behind all files that were given up before it.
type later struct {
	disk     *Disk
	deferred atomic.Bool
	stepped  bool         // the owner calls Upkeep: no goroutine does
	made     func()       // called when a journal was made
	running  sync.Mutex   // held while a file leaves, so that they keep their order
	bytes    atomic.Int64 // of the files that leave

	mu      sync.Mutex
	wanted  []*Ahead
	leaving []leaving
	idle    chan struct{} // closed when the goroutine ends; nil while there is none
	closed  bool          // no goroutine begins any more
	until   time.Time     // until when those who close wait; zero before the first does
}

// leaving is a file on its way out.
type leaving struct {
	file File
	mem  mapped.Memory // where it is mapped; zero if it is not
	mark bool          // it is to be marked as free
	keep bool          // it may be filled again, as a segment
}

// Ahead is a journal's file that is made before it is needed.
type Ahead struct {
	size int
	made chan struct{} // closed when the file was made, or could not be
	// What follows is guarded by later.mu.
	mem  mapped.Memory
	err  error
	done bool
	gone bool // nobody wants it any more
}

// ErrNotMade is a file that is not there yet.
var ErrNotMade = errors.New("the file is being made")

// closeTime is how long Close waits for a disk that does not answer: what has not left by then is found, and left out, at the next start.
const closeTime = time.Second

// Defer has files leave, and journals be made, on a goroutine that runs while there is something to do, from now on. It calls made
// whenever a journal was made, with no lock held. Nobody makes files, or gives them up, during the call.
func Defer(d *Disk, made func()) {
	d.later.made = made
	d.later.deferred.Store(true)
}

// DeferStepped is Defer for an owner that calls Upkeep, a simulation.
func DeferStepped(d *Disk, made func()) {
	d.later.stepped = true
	Defer(d, made)
}

// Deferred reports whether Defer was called.
func Deferred(d *Disk) bool { return d.later.deferred.Load() }

// Leaving is how many bytes of files were given up and are still there.
func Leaving(d *Disk) int64 { return d.later.bytes.Load() }

// give has a file leave, at once or later.
func (u *later) give(l leaving) {
	if !u.deferred.Load() {
		u.finish(l)
		return
	}
	u.bytes.Add(l.file.Size)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.leaving = append(u.leaving, l)
	u.wake()
}

// finish has a file leave now. One that cannot be marked or deleted stays: the next start deletes it if it is marked, and else the journal
// knows that nothing in it is wanted.
func (u *later) finish(l leaving) {
	free := !l.mark || u.disk.markFree(l.file) == nil
	if l.mem.Buf != nil {
		l.mem.Release()
	}
	if !l.keep || !free || !u.disk.keepFree(l.file) {
		_ = u.disk.Remove(l.file) // see above
	}
}

// leaveNext has the next file leave, and reports whether there was one.
func (u *later) leaveNext() bool {
	u.running.Lock()
	defer u.running.Unlock()
	l, ok := u.next()
	if ok {
		u.finish(l)
		u.bytes.Add(-l.file.Size)
	}
	return ok
}

func (u *later) next() (l leaving, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.leaving) == 0 {
		return leaving{}, false
	}
	l, u.leaving = u.leaving[0], u.leaving[1:]
	return l, true
}

// MakeAhead has a journal's file of this size made. It returns at once.
func MakeAhead(d *Disk, size int) *Ahead {
	a := &Ahead{size: size, made: make(chan struct{})}
	d.later.mu.Lock()
	defer d.later.mu.Unlock()
	d.later.wanted = append(d.later.wanted, a)
	d.later.wake()
	return a
}

// Take returns the file, which is its caller's then, ErrNotMade while there is none, or why it could not be made.
func (a *Ahead) Take(d *Disk) (mapped.Memory, error) {
	d.later.mu.Lock()
	defer d.later.mu.Unlock()
	if !a.done {
		return mapped.Memory{}, ErrNotMade
	}
	return a.mem, a.err
}

// Await waits until the file was made, but no longer than closeTime, and reports whether it was. It is for the end: whoever else awaits,
// or closes the disk, waits for the rest of that time alone.
func (a *Ahead) Await(d *Disk) bool {
	if d.later.stepped {
		for any := true; any; {
			any, _ = d.later.makeWanted()
		}
	}
	return d.later.await(a.made) && a.err == nil
}

// Cancel gives the file up, made or not.
func (a *Ahead) Cancel(d *Disk) {
	d.later.mu.Lock()
	done := a.done
	a.gone = true
	d.later.mu.Unlock()
	if done && a.err == nil {
		DropJournal(d, a.mem)
	}
}

// Size is how many bytes the file has.
func (a *Ahead) Size() int { return a.size }

// makeWanted makes the next journal's file that is wanted. It reports whether there was one, and whether somebody can use it.
func (u *later) makeWanted() (any, made bool) {
	u.mu.Lock()
	if len(u.wanted) == 0 {
		u.mu.Unlock()
		return false, false
	}
	a := u.wanted[0]
	u.wanted = u.wanted[1:]
	gone := a.gone
	u.mu.Unlock()
	if gone {
		return true, false
	}
	m, err := u.disk.Create(Journal, a.size)
	u.mu.Lock()
	a.mem, a.err, a.done = m, err, true
	gone = a.gone
	u.mu.Unlock()
	close(a.made)
	if gone && err == nil {
		DropJournal(u.disk, m)
	}
	return true, !gone && err == nil // where it cannot be made, who wants it asks again
}

// DropJournal unmaps and deletes a journal's file.
func DropJournal(d *Disk, m mapped.Memory) {
	d.later.give(leaving{file: File{m.File, Journal, int64(len(m.Buf))}, mem: m})
}

// Upkeep makes what is wanted, and has files leave, until there is nothing left to do. Journals come first: somebody waits for them.
func Upkeep(d *Disk) {
	for {
		any, made := d.later.makeWanted()
		if made {
			d.later.made()
		}
		if !any && !d.later.leaveNext() {
			return
		}
	}
}

// wake starts the goroutine unless it runs. The caller has mu.
func (u *later) wake() {
	if u.stepped || u.closed || u.idle != nil {
		return
	}
	u.idle = make(chan struct{})
	go func() {
		for !u.rest() {
			Upkeep(u.disk)
		}
	}()
}

// rest reports whether there is nothing to do, and the goroutine ends.
func (u *later) rest() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.wanted)+len(u.leaving) > 0 {
		return false
	}
	close(u.idle)
	u.idle = nil
	return true
}

// end has the files leave that are still there, unless the disk does not answer, and reports whether they have.
func (u *later) end() bool {
	u.mu.Lock()
	u.closed = true
	idle := u.idle
	u.mu.Unlock()
	if idle != nil && !u.await(idle) {
		return false
	}
	for u.leaveNext() {
	}
	return true
}

// await waits until what is closed, for closeTime at most from the first call on, and reports whether it is.
func (u *later) await(what <-chan struct{}) bool {
	u.mu.Lock()
	if u.until.IsZero() {
		u.until = clock.Now().Add(closeTime)
	}
	timeout := clock.NewTimer(clock.Until(u.until))
	u.mu.Unlock()
	defer timeout.Stop()
	select {
	case <-what:
		return true
	default:
	}
	select {
	case <-what:
		return true
	case <-timeout.C:
		return false
	}
}
