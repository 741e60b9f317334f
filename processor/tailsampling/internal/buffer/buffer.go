// Package buffer holds the shards of a processor and follows up each visit to one.
//
// Its types are Buffer, Member (a shard with its span log and journal) and Decider (the goroutine that decides what is
// due). A visit to a shard is Member.Lock, calls of its methods, and Buffer.Leave. No two shards are ever locked at once.
package buffer

import (
	"iter"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Buffer holds the shards of a processor. Its methods may be called concurrently.
type Buffer struct {
	*shard.Shared
	Members []*Member

	logger   *zap.Logger
	ready    atomic.Bool   // recovery is complete
	due      chan struct{} // wakes the decider
	visited  func()        // called after each visit
	lastWarn atomic.Int64  // when Warn last logged, a clock.Monotonic; 0 is never
}

// Member is a shard with its span log and journal.
type Member struct {
	*shard.Shard
	Log     *spanlog.Log
	Journal *spanlog.Journal // nil in memory
	Deliver []chan struct{}  // by destination: wakes the sender that serves this shard

	// Turns and WhileReading unlock the shard for others: Turns at every call, WhileReading only while a file is read. They are made
	// once, because a method value allocates.
	Turns, WhileReading spanlog.Pause

	// Before, if set when files are opened, wraps the journal: a simulation's hook.
	Before func(shard.Journal) shard.Journal
}

// New returns a buffer of so many shards, whose new traces go by version v. In memory it is ready at once; otherwise
// call SetReady.
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

// OnVisited sets a function that is called after each visit. Call it before the first visit.
func (b *Buffer) OnVisited(f func()) { b.visited = f }

// Ready reports whether recovery is complete. During recovery shards are locked for long.
func (b *Buffer) Ready() bool { return b.ready.Load() }

// SetReady marks recovery as complete.
func (b *Buffer) SetReady() { b.ready.Store(true) }

// pause unlocks the shard for others while work runs; work may be nil. It is a spanlog.Pause, and reports whether to
// continue, which is always so. The caller holds the shard's mutex before and after.
func (m *Member) pause(work func()) bool {
	m.Unlock()
	defer m.Lock()
	if work != nil {
		work()
	}
	return true
}

// pauseWith is pause, but does nothing if work is nil. It reports whether to continue.
func (m *Member) pauseWith(work func()) bool { return work == nil || m.pause(work) }

// Now returns the present by the shards' clock.
func (b *Buffer) Now() clock.Monotonic { return b.Epoch.Elapsed() }

// Of returns the shard of a trace, and the trace's hash in it.
func (b *Buffer) Of(id wire.TraceID) (m *Member, hash uint32) {
	h := b.Seed.Hash(id)
	return b.Members[index.ShardOf(h, len(b.Members))], uint32(h)
}

// Leave ends a visit: it unlocks the shard and follows up what the visit set in motion.
func (b *Buffer) Leave(m *Member) {
	b.pass(b.leave(m))
}

// leave is Leave without passing on the messages, which it returns.
func (b *Buffer) leave(m *Member) []linked.Message {
	after := m.endVisit()
	if after.WakeDecider {
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

// endVisit also unlocks the shard after a panic, which ends a request and not the process.
func (m *Member) endVisit() shard.FollowUp {
	defer m.Unlock()
	return m.EndVisit()
}

// pass delivers messages to their shards, and the answers to these after them; see shard.Receive.
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

// receive delivers a message to a shard, and returns its answers.
func (b *Buffer) receive(m *Member, message linked.Message, hash uint32) (answers []linked.Message) {
	now := b.Now()
	m.Lock()
	defer func() { answers = b.leave(m) }()
	m.Receive(message, hash, now)
	return nil
}

// Mark makes a trace be kept; see shard.Mark. It does nothing where its shard is locked until the deadline. An error is a failure of the
// disk.
func (b *Buffer) Mark(id wire.TraceID, deadline time.Time) (err error) {
	m, hash := b.Of(id)
	if !lockFor(m, deadline) {
		return ErrBusy
	}
	defer b.Leave(m)
	if b.Mapped {
		defer mapped.Disarm(mapped.Arm(), &err)
	}
	m.Mark(hash, &id, b.Now())
	return nil
}

// Wake wakes the goroutine that waits for c. Waking it twice before it runs is the same as once.
func Wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Locked yields the shards one after the other, each locked. It yields none during recovery.
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

// OldestAge is the time since the first span of the oldest undecided trace, 0 if there is none.
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

// Usage adds up the usage of the shards' logs.
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

// Warn logs a failure that will be retried, at most every ten seconds; counters have the number.
func (b *Buffer) Warn(message string, err error, fields ...zap.Field) {
	const every = 10 * time.Second
	now, last := b.Now(), clock.Monotonic(b.lastWarn.Load())
	if last != 0 && now.Sub(last) < every || !b.lastWarn.CompareAndSwap(int64(last), int64(now)) {
		return
	}
	b.logger.Warn(message, append([]zap.Field{zap.Error(err)}, fields...)...)
}
