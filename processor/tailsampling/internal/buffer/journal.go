package buffer

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// OpenFiles gives a shard its log and journal in files. The journal keeps the last keep events for late spans.
func (m *Member) OpenFiles(l *spanlog.Log, j *spanlog.Journal, keep int) {
	m.Log, m.Journal = l, j
	var file shard.Journal = journal{journal: j, log: l, keep: keep}
	if m.Before != nil {
		file = m.Before(file)
	}
	m.Open(l, file)
}

// journal is a shard.Journal in files.
type journal struct {
	journal *spanlog.Journal
	log     *spanlog.Log
	keep    int
}

var _ shard.Journal = journal{}

func (j journal) Put(e spanlog.Event, at clock.UnixMilli) { j.journal.Put(&e, int64(at)) }

func (j journal) Full() bool { return j.journal.Full() }

func (j journal) Trim(repeat func(highest uint64)) { j.journal.Trim(j.log, j.keep, repeat) }

// WriteDeferred has the journals write the events that waited for a file, as far as there is one now.
func (b *Buffer) WriteDeferred() {
	now := int64(b.UnixMilli(b.Now()))
	for _, m := range b.Members {
		m.Lock()
		m.Journal.CatchUp(now)
		m.Unlock()
	}
}
