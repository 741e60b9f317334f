package buffer

import (
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
)

// Add appends the spans of a prepared request, visiting each shard that has some once. Where the disk fails under a store,
// which the kernel tells by a fault, it returns an error, and what was appended before that stays.
func (b *Buffer) Add(in *intake.Request) error {
	for i, spans := range in.ByShard {
		if err := b.visit(b.Members[i], in, spans); err != nil {
			return err
		}
	}
	return nil
}

func (b *Buffer) visit(m *Member, in *intake.Request, spans []uint32) (err error) {
	now := b.Now()
	m.Lock()
	defer b.Leave(m)
	defer func() {
		if err != nil {
			m.Log.Interrupt()
		}
	}()
	if b.Mapped {
		defer spanlog.Guard(&err)()
	}
	m.Log.SetTime(int64(b.UnixMilli(now)))
	for _, span := range spans {
		m.Add(in, span, now)
	}
	m.Review(now)
	m.DecideOverCount(now)
	return nil
}

// WriteAgain makes the next fsync no false success, after one that failed.
func (b *Buffer) WriteAgain() {
	for _, m := range b.Members {
		m.Lock()
		if err := m.writeAgain(); err != nil {
			b.Warn("the disk of the span log does not take what could not be forced to it", err)
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

// Close gives all memory back, and ends the logs and journals.
func (b *Buffer) Close() {
	for _, m := range b.Members {
		m.Lock()
		m.Log.Close()
		m.Journal.Close()
		m.Close()
		m.Unlock()
	}
}
