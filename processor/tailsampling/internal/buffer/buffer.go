// Package buffer is the shards of a processor, and what a visit to one of them sets in motion.
//
// Its types are Buffer, Member (a shard with its span log and journal) and Decider (the goroutine that does what is due).
// A visit to a shard is Member.Lock, calls of its methods, and Buffer.Leave. Never are two shards locked at once.
package buffer

import (
	"iter"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Buffer is the shards of a processor. Its methods may be called concurrently.
type Buffer struct {
	*shard.Shared
	Members []*Member

	logger   *zap.Logger
	ready    atomic.Bool   // recovery is complete
	due      chan struct{} // wakes the decider
	visited  func()        // called after each visit
	lastWarn atomic.Int64  // when Warn logged last, a clock.Monotonic; 0 is never
}

// Member is a shard with where its spans and decisions are.
type Member struct {
	*shard.Shard
	Log     *spanlog.Log
	Journal *spanlog.Journal // nil in memory
	Deliver []chan struct{}  // by destination: wakes the sender that serves this shard

	// Turns and WhileReading let others have the shard: the one whenever it is called, the other only while a file is read. They are
	// made once, as a method value is garbage.
	Turns, WhileReading spanlog.Pause

	// Before, if it is set when files are opened, stands before the journal: a simulation's.
	Before func(shard.Journal) shard.Journal
}

// New returns a buffer of so many shards, whose traces begin under a version. In memory it is ready at once; else call
// SetReady.
func New(shared *shard.Shared, shards int, v *version.Version, logger *zap.Logger) *Buffer {
	b := &Buffer{Shared: shared, logger: logger, due: make(chan struct{}, 1), visited: func() {}}
	for i := range shards {
		m := &Member{Shard: shard.New(shared, v), Log: spanlog.New(shared.Pool, i)}
		m.Turns, m.WhileReading = m.pause, m.pauseWith
		m.Open(m.Log, shard.NoJournal{})
		b.Members = append(b.Members, m)
	}
	return b
}

// OnVisited sets what is called after each visit. Call it before the first.
func (b *Buffer) OnVisited(f func()) { b.visited = f }

// Ready reports whether recovery is complete. Until then shards are locked for long.
func (b *Buffer) Ready() bool { return b.ready.Load() }

// SetReady marks recovery as complete.
func (b *Buffer) SetReady() { b.ready.Store(true) }

// pause lets others have the shard while work runs, which may be nil. The caller has the shard's mutex, and has it again afterwards.
func (m *Member) pause(work func()) bool {
	m.Unlock()
	defer m.Lock()
	if work != nil {
		work()
	}
	return true
}

// pauseWith is pause that does nothing where there is no work.
func (m *Member) pauseWith(work func()) bool { return work == nil || m.pause(work) }

// Now is the present instant by the shards' clock.
func (b *Buffer) Now() clock.Monotonic { return b.Epoch.Elapsed() }

// Of returns the shard of a trace, and the trace's hash in it.
func (b *Buffer) Of(id wire.TraceID) (m *Member, hash uint32) {
	h := b.Seed.Hash(id)
	return b.Members[index.ShardOf(h, len(b.Members))], uint32(h)
}

// Leave ends a visit: it unlocks the shard and sees to what follows.
func (b *Buffer) Leave(m *Member) {
	b.pass(b.leave(m))
}

// leave is Leave but for the messages, which it returns.
func (b *Buffer) leave(m *Member) []linked.Message {
	after := m.endVisit()
	if after.Sooner {
		Wake(b.due)
	}
	b.visited()
	for d, wake := range m.Deliver {
		if after.Deliver.Has(shard.Destination(d)) {
			Wake(wake)
		}
	}
	return after.Messages
}

// endVisit unlocks the shard also where it panics, which ends a request and not the process.
func (m *Member) endVisit() shard.Aftermath {
	defer m.Unlock()
	return m.EndVisit()
}

// pass gives messages to the shards that they are for. What these answer is passed on after them; see
// shard.Receive.
func (b *Buffer) pass(messages []linked.Message) {
	for len(messages) > 0 {
		var answers []linked.Message
		for _, message := range messages {
			m, hash := b.Of(message.Trace)
			answers = append(answers, b.receive(m, message, hash)...)
		}
		messages = answers
	}
}

// receive gives a message to a shard, and returns its answers.
func (b *Buffer) receive(m *Member, message linked.Message, hash uint32) (answers []linked.Message) {
	now := b.Now()
	m.Lock()
	defer func() { answers = b.leave(m) }()
	m.Receive(message, hash, now)
	return nil
}

// Wake wakes the goroutine that waits for c. Waking it twice before it runs is the same as once.
func Wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Locked yields the shards one after the other, each locked; none while they are read back.
func (b *Buffer) Locked() iter.Seq[*Member] {
	return func(yield func(*Member) bool) {
		if !b.Ready() {
			return
		}
		for _, m := range b.Members {
			m.Lock()
			more := yield(m)
			m.Unlock()
			if !more {
				return
			}
		}
	}
}

// Sum adds the shards' counts up.
func (b *Buffer) Sum() (all tally.Stats) {
	for m := range b.Locked() {
		all.Add(&m.Tally().Stats)
	}
	return all
}

// OldestAge is how long ago the first span of the oldest undecided trace came, 0 if there is none.
func (b *Buffer) OldestAge() time.Duration {
	oldest := shard.Never
	for m := range b.Locked() {
		oldest = min(oldest, m.Known().Oldest())
	}
	if oldest == shard.Never {
		return 0
	}
	return b.Now().Sub(oldest)
}

// Usage adds up what the shards' logs hold.
func (b *Buffer) Usage() (all spanlog.Usage) {
	for m := range b.Locked() {
		u := m.Log.Usage()
		all.Segments += u.Segments
		all.Allocated += u.Allocated
		all.Cold += u.Cold
		all.Live += u.Live
	}
	return all
}

// Warn logs that something failed that will be tried again, at most every ten seconds: counters have how often.
func (b *Buffer) Warn(message string, err error, fields ...zap.Field) {
	const every = 10 * time.Second
	now, last := b.Now(), clock.Monotonic(b.lastWarn.Load())
	if last != 0 && now.Sub(last) < every || !b.lastWarn.CompareAndSwap(int64(last), int64(now)) {
		return
	}
	b.logger.Warn(message, append([]zap.Field{zap.Error(err)}, fields...)...)
}
