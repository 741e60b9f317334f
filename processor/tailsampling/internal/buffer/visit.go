package buffer

import (
	"errors"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
)

// ErrBusy says that a shard was locked for longer than a request waits.
var ErrBusy = errors.New("the span log is too slow: a part of it is busy with the disk, or waits for the processor")

// Add appends the spans of a prepared request, visiting each shard that gets some once. All waits together end at the deadline; then
// it returns ErrBusy. It also returns an error if the disk fails under a mapped file. Spans appended before an error stay.
func (b *Buffer) Add(in *intake.Request, deadline time.Time) error {
	for i, spans := range in.ByShard {
		if err := b.visit(b.Members[i], in, spans, deadline); err != nil {
			b.probe(err, i, deadline)
			return err
		}
	}
	return nil
}

// probe makes the other shards check their current segments after the disk failed under one: a fault that hit one file has likely hit
// others, and each would fail a request. It ends at the deadline.
func (b *Buffer) probe(err error, failed int, deadline time.Time) {
	if !errors.Is(err, spanlog.ErrDisk) {
		return
	}
	for i, m := range b.Members {
		if i == failed {
			continue
		}
		if !lockFor(m, deadline) {
			return
		}
		m.Log.Probe()
		m.Unlock()
	}
}

// lockFor locks a shard for a request, and reports whether it could before the deadline.
func lockFor(m *Member, deadline time.Time) bool {
	return m.LockWithin(0) || m.LockWithin(clock.Until(deadline))
}

func (b *Buffer) visit(m *Member, in *intake.Request, spans []uint32, deadline time.Time) (err error) {
	if !lockFor(m, deadline) {
		return ErrBusy
	}
	now := b.Now()
	defer b.Leave(m)
	defer func() {
		if err != nil {
			err = m.Log.Interrupt(err)
		}
	}()
	if b.Mapped {
		defer mapped.Disarm(mapped.Arm(), &err)
	}
	m.Log.SetTime(int64(b.UnixMilli(now)))
	for _, span := range spans {
		m.Add(in, span, now)
	}
	m.Review(now)
	m.DecideOverCount(now)
	return nil
}

// Rewrite rewrites spans after a failed fsync, so that the next fsync does not succeed falsely.
func (b *Buffer) Rewrite() {
	for _, m := range b.Members {
		m.Lock()
		if err := m.writeAgain(); err != nil {
			b.Warn("rewriting spans after a failed flush failed: the disk of the span log is full or broken", err)
		}
		m.Unlock()
	}
}

func (m *Member) writeAgain() (err error) {
	defer spanlog.Guard(&err)()
	m.Log.WriteAgain()
	m.Journal.WriteAgain()
	return nil
}

// Close closes the logs and journals and frees all memory.
func (b *Buffer) Close() {
	for _, m := range b.Members {
		m.Lock()
		m.Log.Close()
		m.Journal.Close()
		m.Close()
		m.Unlock()
	}
}
