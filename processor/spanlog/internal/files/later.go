package files

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/mapped"
)

// later does the work on files that needs no shard's mutex: it deletes or frees files in the order in which they were given up, and
// makes journals' files ahead. Until Defer is called its callers do the work themselves, at once. It is safe for concurrent use.
//
// A leaving file counts as used until it is gone, so that the disk budget bounds how many wait. A crash revives none of them: the
// spans of one that is not marked as free yet are in a journal, which leaves after all files that were given up before it.
type later struct {
	disk     *Disk
	deferred atomic.Bool
	stepped  bool         // the owner calls Upkeep, and there is no goroutine
	made     func()       // called when a journal's file was made
	running  sync.Mutex   // held while a file leaves, so that files keep their order
	bytes    atomic.Int64 // size of the leaving files

	mu      sync.Mutex
	wanted  []*Ahead
	leaving []leaving
	idle    chan struct{} // closed when the goroutine ends; nil without one
	closed  bool          // no goroutine starts any more
	until   time.Time     // deadline of await; zero before its first call
}

// leaving is a file on its way out.
type leaving struct {
	file File
	mem  mapped.Memory // its mapping; zero if it is not mapped
	mark bool          // mark it as free
	keep bool          // keep it for reuse as a segment, if there is room
}

// Ahead is a journal's file that is made before it is needed.
type Ahead struct {
	size int
	made chan struct{} // closed when the file was made, or making it failed
	// later.mu guards the fields below.
	mem  mapped.Memory
	err  error
	done bool
	gone bool // canceled
}

// ErrNotMade means that the file is not made yet.
var ErrNotMade = errors.New("the file is being made")

// closeTime is how long Close waits for a hanging disk. The next start deletes files that have not left by then, or finds in the journal
// that their spans are done.
const closeTime = time.Second

// Defer moves deleting files and making journals' files to a goroutine that runs while there is work. It calls made after each journal's
// file, with no lock held. Nobody may make files, or give them up, during the call of Defer.
func Defer(d *Disk, made func()) {
	d.later.made = made
	d.later.deferred.Store(true)
}

// DeferStepped is Defer for a simulation, which calls Upkeep in place of the goroutine.
func DeferStepped(d *Disk, made func()) {
	d.later.stepped = true
	Defer(d, made)
}

// Deferred reports whether Defer was called.
func Deferred(d *Disk) bool { return d.later.deferred.Load() }

// Leaving returns the size in bytes of the files that were given up and are not gone yet.
func Leaving(d *Disk) int64 { return d.later.bytes.Load() }

// give gives a file up: it queues the file if Defer was called, and else finishes it at once.
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

// finish marks a file as free, unmaps it, and keeps or deletes it. If marking or deleting fails the file stays: the next start deletes it
// if it is marked, and else finds in the journal that its spans are done.
func (u *later) finish(l leaving) {
	free := !l.mark || u.disk.markFree(l.file) == nil
	if l.mem.Buf != nil {
		l.mem.Release()
	}
	if !l.keep || !free || !u.disk.keepFree(l.file) {
		_ = u.disk.Remove(l.file) // see above
	}
}

// leaveNext finishes the next leaving file, and reports whether there was one.
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

// MakeAhead requests a journal's file of this size in bytes, and returns at once.
func MakeAhead(d *Disk, size int) *Ahead {
	a := &Ahead{size: size, made: make(chan struct{})}
	d.later.mu.Lock()
	defer d.later.mu.Unlock()
	d.later.wanted = append(d.later.wanted, a)
	d.later.wake()
	return a
}

// Take returns the file, which the caller owns from then on. The error is ErrNotMade before the file is made, or why making it failed.
func (a *Ahead) Take(d *Disk) (mapped.Memory, error) {
	d.later.mu.Lock()
	defer d.later.mu.Unlock()
	if !a.done {
		return mapped.Memory{}, ErrNotMade
	}
	return a.mem, a.err
}

// Await waits until the file is made, for closeTime at most, and reports whether it is. It is for closing: all calls of Await and
// Disk.Close together wait for closeTime at most, from the first on.
func (a *Ahead) Await(d *Disk) bool {
	if d.later.stepped {
		for any := true; any; {
			any, _ = d.later.makeWanted()
		}
	}
	return d.later.await(a.made) && a.err == nil
}

// Cancel gives the file up, whether it is made already or not.
func (a *Ahead) Cancel(d *Disk) {
	d.later.mu.Lock()
	done := a.done
	a.gone = true
	d.later.mu.Unlock()
	if done && a.err == nil {
		DropJournal(d, a.mem)
	}
}

// Size returns the size of the file in bytes.
func (a *Ahead) Size() int { return a.size }

// makeWanted makes the next requested journal's file. It reports whether there was a request, and whether its file is there to be taken.
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
	return true, !gone && err == nil // after an error the journal requests another
}

// DropJournal unmaps and deletes a journal's file.
func DropJournal(d *Disk, m mapped.Memory) {
	d.later.give(leaving{file: File{m.File, Journal, int64(len(m.Buf))}, mem: m})
}

// Upkeep makes requested files and finishes leaving ones until there are none. Requested files come first, as events wait for them.
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

// wake starts the goroutine unless it runs. The caller holds mu.
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

// rest reports whether there is no work, and marks the goroutine as ended then.
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

// end finishes all leaving files, and reports whether it did: not if the disk hangs.
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

// await waits until a channel is closed, for closeTime at most from its first call on, and reports whether the channel is closed.
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
