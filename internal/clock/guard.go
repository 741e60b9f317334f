package clock

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// JumpAllowed is the largest deviation of the wall clock from the monotonic one within DoubtTime, sudden or gradual, that is
	// believed: more than any slewing, less than what would spoil a ledger.
	JumpAllowed = 2 * time.Minute
	// DoubtTime is how long a clock that jumped must stay where it is to be believed.
	DoubtTime = 15 * time.Minute
	// StableTime is how long a clock must be believed before data is deleted by it.
	StableTime = 5 * time.Minute

	// slewed is the difference from which on a slewed clock is followed.
	slewed = time.Second
	// another is longer than any process runs: a monotonic clock that shows it, or runs back, is another one than before
	// (a synctest bubble has its own).
	another = 20 * 365 * 24 * time.Hour
	// countedFrom is the difference from which on a move of the clock counts: two readings cannot show less.
	countedFrom = 100 * time.Millisecond
)

// Guard is a wall clock with doubts. A machine's clock that jumps is not believed until it has stayed where it is for DoubtTime, or until
// spans of enough processes agree with it; meanwhile time goes on by the monotonic clock plus the machine's sleep. If the sleep is unknown,
// waking up looks like a jump. The zero value is ready. All methods may be called concurrently; while the clock does not jump they take no
// lock.
type Guard struct {
	read   func() reading       // the machine's clock; nil is Now
	asleep func() time.Duration // the total sleep of the machine; nil is none
	slept  atomic.Int64         // the result of its last call
	belief atomic.Pointer[belief]

	mu        sync.Mutex // held while belief changes; guards the fields below
	witnesses witnesses
}

// NewGuard returns a Guard of a machine whose clocks read returns: the wall time, and the elapsed time by the monotonic clock.
func NewGuard(read func() (wall time.Time, elapsed time.Duration)) *Guard {
	return &Guard{read: func() reading {
		wall, elapsed := read()
		return reading{wall: wall.UTC().Round(0), elapsed: elapsed}
	}}
}

// reading is a reading of the machine's clocks.
type reading struct {
	wall    time.Time     // UTC, without a monotonic reading
	elapsed time.Duration // by the monotonic clock since the process started, plus the machine's sleep
}

// origin is the wall time at which the monotonic clock showed 0.
func (r reading) origin() time.Time { return r.wall.Add(-r.elapsed) }

var started = Now()

func machine() reading {
	now := Now()
	return reading{wall: now.UTC().Round(0), elapsed: now.Sub(started)}
}

func (g *Guard) reading() reading {
	var r reading
	if g.read != nil {
		r = g.read()
	} else {
		r = machine()
	}
	r.elapsed += time.Duration(g.slept.Load())
	return r
}

// belief is a Guard's judgement of the machine's clock. It does not change.
type belief struct {
	looked time.Duration // time of the judgement, by the monotonic clock
	origin time.Time     // the believed wall time at which the monotonic clock showed 0
	since  time.Duration // when this clock was first believed, or first stood here
	// confirmed reports whether more than the clock's own reading speaks for it: it stayed, or others agree.
	confirmed bool
	moved     time.Duration // total of the believed moves of the clock against the monotonic one
	jumped    time.Duration // the jumps in moved, without those at the start
	counted   time.Time     // the origin at the last count in moved; moves below countedFrom wait until they add up
	anchor    anchor

	doubted      time.Time     // the origin by a clock that jumped; zero without doubt
	doubtedSince time.Duration // when it jumped
	before       string        // the thing that is newer than the clock at the start; empty if the clock jumped later
}

// anchor is an earlier position of the believed clock, from which it may not move far in a short time.
type anchor struct {
	origin time.Time
	at     time.Duration
}

// State is a Guard's judgement at an instant.
type State struct {
	Now       time.Time     // the time that is believed, in UTC
	Machine   time.Time     // the time that the machine's clock shows, in UTC
	Doubt     string        // why the machine's clock is not believed, for people; empty if it is
	Remaining time.Duration // of a doubt: how long the clock must still stay where it is
	Confirmed bool          // it is believed, and not by its own reading alone: it stayed where it is, or others agree
	Stable    bool          // it is believed, and has stood where it stands for StableTime
	Jumped    time.Duration // total of the believed jumps since the process started
}

var guard = Guard{asleep: suspended}

// Process returns the guard of the package's functions.
func Process() *Guard { return &guard }

// Wall returns the time that the process believes, in UTC, without a monotonic reading.
func Wall() time.Time { return guard.Wall() }

// Look returns the process's judgement of the machine's clock.
func Look() State { return guard.Look() }

// NotBefore is Guard.NotBefore of the process's guard.
func NotBefore(t time.Time, what string) { guard.NotBefore(t, what) }

// Doubted reports whether the process doubted the machine's clock at the last look.
func Doubted() bool { return guard.Doubted() }

// Witness is Guard.Witness of the process's guard.
func Witness(source uint64, end time.Time) { guard.Witness(source, end) }

// Wall returns the time that is believed, in UTC, without a monotonic reading.
func (g *Guard) Wall() time.Time {
	r := g.reading()
	if b := g.belief.Load(); b != nil && b.doubted.IsZero() && b.continues(r) && r.origin().Sub(b.origin).Abs() <= slewed {
		return r.wall
	}
	b, r := g.look()
	return b.now(r)
}

// Look returns the guard's judgement of the machine's clock.
func (g *Guard) Look() State {
	b, r := g.look()
	s := State{Now: b.now(r), Machine: r.wall, Jumped: b.jumped}
	if b.doubted.IsZero() {
		s.Stable = r.elapsed-b.since >= StableTime
		s.Confirmed = b.confirmed || s.Stable
		return s
	}
	s.Remaining = max(0, DoubtTime-(r.elapsed-b.doubtedSince))
	s.Doubt = b.doubt(s.Remaining)
	return s
}

// Doubted reports whether the machine's clock was doubted at the last look.
func (g *Guard) Doubted() bool {
	b := g.belief.Load()
	return b != nil && !b.doubted.IsZero()
}

// NotBefore reports that something of ours was written at t, by a clock that was believed, so that it is later now: a process
// that starts with an earlier clock does not believe that clock, and starts from the latest of all reported times. What names the
// thing in messages.
func (g *Guard) NotBefore(t time.Time, what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	seen, r := g.judge()
	b := *seen
	allowed := JumpAllowed
	if b.before != "" { // the belief rests on an earlier report, and this one is newer
		allowed = 0
	}
	if t.Sub(b.now(r)) <= allowed {
		return
	}
	if b.doubted.IsZero() {
		b.doubted, b.doubtedSince = r.origin(), r.elapsed
	}
	b.origin, b.since, b.before, b.confirmed = t.UTC().Round(0).Add(-r.elapsed), r.elapsed, what, false
	b.drop(r)
	b.count()
	g.belief.Store(&b)
}

// Witness records that a span of a process ended at end, so that this process's clock is past it. source identifies the process;
// those that share the machine's clock are no witnesses. It does nothing while the machine's clock is believed.
func (g *Guard) Witness(source uint64, end time.Time) {
	if !g.Doubted() {
		return
	}
	r := g.reading()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.witnesses.record(source, end.UTC().Round(0).Add(-r.elapsed), r.elapsed)
}

// look reads the machine's clocks and returns the new belief.
func (g *Guard) look() (*belief, reading) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.judge()
}

// judge is look with the mutex held. It reads the clocks itself: a reading from before it waited for the mutex, in a process that
// was stopped meanwhile, would look like another start.
func (g *Guard) judge() (*belief, reading) {
	if g.asleep != nil {
		g.slept.Store(int64(g.asleep()))
	}
	r := g.reading()
	last := g.belief.Load()
	if last == nil || !last.continues(r) {
		g.witnesses = nil
		last = &belief{looked: r.elapsed, origin: r.origin(), since: r.elapsed, counted: r.origin()}
		if before := g.belief.Load(); before != nil {
			last.moved, last.jumped = before.moved, before.jumped
		}
		last.drop(r)
	}
	b := *last
	b.looked = max(b.looked, r.elapsed)
	origin := r.origin()
	if b.doubted.IsZero() && r.elapsed-b.anchor.at >= DoubtTime {
		b.drop(r)
	}
	switch {
	case b.near(origin): // follow a slewed clock
		b.origin = origin
		b.believe()
	case b.before != "" && origin.After(b.origin): // as good as at a start: the clock is past what is ours
		b.origin, b.since = origin, r.elapsed
		b.drop(r)
		b.believe()
	case b.doubted.IsZero() || origin.Sub(b.doubted).Abs() > JumpAllowed:
		b.doubted, b.doubtedSince = origin, r.elapsed
		g.witnesses = nil
	case r.elapsed-b.doubtedSince >= DoubtTime:
		b.follow(r, b.doubtedSince)
	case g.witnesses.agree(origin, r.elapsed):
		b.follow(r, r.elapsed)
	}
	b.count()
	g.belief.Store(&b)
	return &b, r
}

// moved returns the total of the believed clock's moves against the process's monotonic one: settings of the clock, and the machine's
// sleep.
func (g *Guard) moved() time.Duration {
	slept := time.Duration(g.slept.Load())
	if b := g.belief.Load(); b != nil {
		return b.moved + slept
	}
	return slept
}

// count adds the believed clock's move since the last count.
func (b *belief) count() {
	if by := b.origin.Sub(b.counted); by.Abs() >= countedFrom {
		b.moved, b.counted = b.moved+by, b.origin
	}
}

// follow believes a clock that jumped, and has stayed where it is since.
func (b *belief) follow(r reading, since time.Duration) {
	if b.before == "" {
		b.jumped += r.origin().Sub(b.origin)
	}
	b.origin, b.since, b.confirmed = r.origin(), since, true
	b.drop(r)
	b.believe()
}

// drop drops the anchor at the believed clock's position.
func (b *belief) drop(r reading) { b.anchor = anchor{origin: b.origin, at: r.elapsed} }

// near reports whether a clock with this origin is the believed one, apart from slewing.
func (b *belief) near(origin time.Time) bool {
	return origin.Sub(b.origin).Abs() <= JumpAllowed && origin.Sub(b.anchor.origin).Abs() <= JumpAllowed
}

// continues reports whether a reading is from the same monotonic clock as the last.
func (b *belief) continues(r reading) bool {
	return r.elapsed > b.looked-JumpAllowed && r.elapsed-b.looked < another
}

func (b *belief) believe() { b.doubted, b.doubtedSince, b.before = time.Time{}, 0, "" }

// now returns the believed time at a reading.
func (b *belief) now(r reading) time.Time {
	if b.doubted.IsZero() {
		return r.wall
	}
	return b.origin.Add(r.elapsed)
}

// doubt describes what is wrong with the machine's clock.
func (b *belief) doubt(left time.Duration) string {
	jump := b.doubted.Sub(b.origin).Round(time.Second)
	what := fmt.Sprintf("jumped ahead by %s", jump)
	switch {
	case b.before != "":
		what = fmt.Sprintf("is %s behind %s", -jump, b.before)
	case jump < 0:
		what = fmt.Sprintf("jumped back by %s", -jump)
	}
	return fmt.Sprintf("the machine's clock %s: the new time is used once it has stayed for another %s, or once spans of %d "+
		"processes agree with it; until then time continues from the old one", what, left.Round(time.Second), enoughWitnesses)
}
