package budget

import (
	"errors"
	"sync"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/hold"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// One goroutine, Relieve, makes room. A request asks for it and waits for a moment at most. If no room comes, or a relief has just
// failed, the request is refused at once, and its sender learns when to retry.

const (
	// reliefWait is how long a request waits for room.
	reliefWait = 250 * time.Millisecond
	// vainPause is the pause after a relief that did not make enough room. Deliveries may free some room meanwhile.
	vainPause = 250 * time.Millisecond
	// tidyEvery is the interval at which sparse segments on disk are compacted while room is not short.
	tidyEvery = time.Second
)

// asked is the room that requests ask Relieve for. It may be used concurrently.
type asked struct {
	wake chan struct{} // wakes Relieve

	mu    sync.Mutex
	bytes int64           // the most that a request asked for, since the last relief began
	round chan struct{}   // closed and replaced when some room was made, and when a relief ends
	vain  clock.Monotonic // no relief begins before, as the last one did not make enough room
}

func newAsked() *asked {
	return &asked{wake: make(chan struct{}, 1), round: make(chan struct{})}
}

// ask asks for room and returns a channel that is closed when there may be some. It returns false if no relief will begin
// now.
func (a *asked) ask(bytes int64, now clock.Monotonic) (round <-chan struct{}, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now < a.vain {
		return nil, false
	}
	a.bytes = max(a.bytes, bytes)
	buffer.Wake(a.wake)
	return a.round, true
}

// take returns the bytes that were asked for, and false if no relief is to begin now.
func (a *asked) take(now clock.Monotonic) (bytes int64, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	bytes, a.bytes = a.bytes, 0
	return bytes, now >= a.vain
}

// wakeAll wakes all waiting requests, to try again.
func (a *asked) wakeAll(vainUntil clock.Monotonic) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.vain = vainUntil
	close(a.round)
	a.round = make(chan struct{})
}

// await waits for room and reserves it.
func (g *Budget) await(bytes, large int64, err error) error {
	timeout := clock.NewTimer(reliefWait)
	defer timeout.Stop()
	for isShort(err) {
		round, ok := g.asked.ask(bytes, g.buffer.Now())
		if !ok {
			return err
		}
		if err = g.pool.Reserve(bytes, large); !isShort(err) {
			break
		}
		select {
		case <-round:
			err = g.pool.Reserve(bytes, large)
		case <-timeout.C:
			return err
		}
	}
	return err
}

// isShort reports whether making room may help.
func isShort(err error) bool {
	return errors.Is(err, spanlog.ErrMemoryBudget) || errors.Is(err, spanlog.ErrDiskBudget)
}

// Relieve makes room whenever a request asks for it. It returns soon after stop is closed, whatever it is doing.
func (g *Budget) Relieve(stop <-chan struct{}) {
	tidy := clock.NewTicker(tidyEvery)
	defer tidy.Stop()
	for {
		select {
		case <-stop:
			return
		case <-g.asked.wake:
			relieveAsked(g, stop)
		case <-tidy.C:
			g.tidy(stop)
		}
	}
}

// relieveAsked makes the room that was asked for, unless the last relief has just failed; ask has told the requests.
func relieveAsked(g *Budget, stop <-chan struct{}) {
	bytes, ok := g.asked.take(g.buffer.Now())
	if !ok {
		return
	}
	g.relieve(bytes, stop)
	vain := clock.Monotonic(0)
	if g.pool.Over(bytes, 1) > 0 {
		vain = g.buffer.Now().Add(vainPause)
	}
	g.asked.wakeAll(vain)
}

// relieve frees so many bytes: it evicts traces that were not sampled and shrinks segments; if that is not enough, it
// decides traces early, boring ones first, the oldest of each shard.
func (g *Budget) relieve(bytes int64, stop <-chan struct{}) {
	for g.relieveOnce(g.excess(bytes, shard.Boring), bytes, stop, (*shard.Shard).EvictOldest) {
	}
	g.shrinkFor(bytes, stop)
	for maxRank := range shard.Ranks {
		early := decideEarly(maxRank)
		for g.relieveOnce(g.excess(bytes, maxRank), bytes, stop, early) {
		}
		if stopped(stop) || g.excess(bytes, shard.Failed) <= 0 {
			break
		}
	}
	g.Relieved()
}

func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// relieveOnce makes every shard give up its part of the excess. It reports whether that helped and more may be
// needed. giveUp gives up one trace and returns the bytes of its spans.
func (g *Budget) relieveOnce(excess, bytes int64, stop <-chan struct{}, giveUp func(s *shard.Shard, now clock.Monotonic) int64) bool {
	if excess <= 0 {
		return false
	}
	part := excess/int64(len(g.buffer.Members)) + 1
	progress := false
	for _, m := range g.buffer.Members {
		if stopped(stop) {
			return false
		}
		if g.giveUpIn(m, part, stop, giveUp) > 0 {
			progress = true
		}
		g.compact(m, denseEnough, g.OnDisk && g.pool.OverDisk(bytes, reliefTo) > 0, stop)
		g.asked.wakeAll(0)
	}
	return progress
}

// giveUpIn makes a shard give up so many bytes, one hold at a time, and returns how many it gave up.
func (g *Budget) giveUpIn(m *buffer.Member, bytes int64, stop <-chan struct{}, giveUp func(s *shard.Shard, now clock.Monotonic) int64) (given int64) {
	for more := true; more && given < bytes && !stopped(stop); {
		now := g.buffer.Now()
		m.Lock()
		held := hold.Begin(g.buffer.Now)
		for over := false; !over; {
			n := giveUp(m.Shard, now)
			if given += n; n == 0 || given >= bytes {
				more = false
				break
			}
			over = held.Done(n)
		}
		g.buffer.Leave(m)
	}
	return given
}

// tidy copies the last spans out of segments that are only on disk; appending does not compact these. It does nothing while the disk is
// far from short. Events that wait for a journal's file, which could not be made, ask for one again.
func (g *Budget) tidy(stop <-chan struct{}) {
	if g.OnDisk {
		g.buffer.WriteDeferred()
	}
	if !g.OnDisk || g.pool.OverDisk(0, ReviveUpTo) <= 0 {
		return
	}
	for _, m := range g.buffer.Members {
		g.compact(m, sparseEnough, true, stop)
	}
}

// compact copies the last spans out of segments with at most this share of live spans. If the disk fails meanwhile, the next start
// finds the spans that were not copied.
func (g *Budget) compact(m *buffer.Member, share float64, disk bool, stop <-chan struct{}) {
	if stopped(stop) {
		return
	}
	m.Lock()
	m.Log.SetTime(int64(g.buffer.UnixMilli(g.buffer.Now())))
	err := g.compactLocked(m, share, disk, stop)
	g.buffer.Leave(m)
	if err != nil {
		g.buffer.Warn("compacting segments failed", err)
	}
}

func (g *Budget) compactLocked(m *buffer.Member, share float64, disk bool, stop <-chan struct{}) (err error) {
	if g.OnDisk {
		defer spanlog.Guard(&err)()
	}
	m.Log.Compact(share, disk, func(work func()) bool { return m.Turns(work) && !stopped(stop) })
	return nil
}
