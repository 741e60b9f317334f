package recovery

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// readBack restores the shards from the journals and segments on disk.
func (st *Store) readBack(onSyncFailed func()) {
	st.report(st.inventory.Damage)
	all := make([]*reader, len(st.buffer.Members))
	for i, m := range st.buffer.Members {
		all[i] = newReader(st, m)
	}
	journals := st.readJournals(all)
	st.openPool(journals, onSyncFailed)
	st.adoptJournals(journals)
	st.readSegments(all)
	st.redistribute(all, journals)
	if st.canceled.Load() {
		return
	}
	last := clock.UnixMilli(0)
	for _, r := range all {
		last = max(last, r.last)
	}
	for _, r := range all {
		r.finish(last)
	}
	for _, m := range st.buffer.Members {
		m.Lock()
		st.buffer.Leave(m) // delivers messages about links
	}
}

// journals are the journal files found at the start.
type journals struct {
	files   []*spanlog.JournalFile
	foreign bool // whether their shards or destinations differ from today's
	highest uint64
}

// isOurs reports whether a file was written with today's shards.
func (st *Store) isOurs(shards int, s spanlog.Seed) bool {
	return shards == len(st.buffer.Members) && index.Seed(s) == st.buffer.Seed
}

// readJournals reads the fates of traces, and remembers the decisions for late spans.
func (st *Store) readJournals(all []*reader) *journals {
	j := &journals{files: st.inventory.Journals}
	for _, f := range j.files {
		var tooMany error
		var to *roster
		damage, err := f.Read(func(e *spanlog.Event, names spanlog.Names) {
			if to == nil {
				r := st.destinations.roster(names.Destinations)
				to = &r
				j.foreign = j.foreign || !st.destinations.areToday(names.Destinations)
			}
			number := int32(version.NoPolicy)
			if e.Policy >= 0 {
				var err error
				if number, err = st.names.Number(version.ParseName(names.Policies[e.Policy])); err != nil {
					tooMany = err
				}
			}
			hash := st.buffer.Seed.Hash(wire.TraceID(e.TraceID))
			all[index.ShardOf(hash, len(all))].event(e, number, uint32(hash), to)
		})
		if err = errors.Join(err, tooMany); err != nil {
			damage = append(damage, spanlog.Damage{Path: st.directory, Reason: err.Error()})
		}
		st.report(damage)
		j.highest = max(j.highest, f.Highest())
		j.foreign = j.foreign || !st.isOurs(f.Shards(), f.Seed())
	}
	return j
}

// openPool prepares the pool and the shards for writing.
func (st *Store) openPool(j *journals, onSyncFailed func()) {
	b := st.buffer
	b.Pool.Open(st.dir, spanlog.Seed(b.Seed), max(st.inventory.Sequence, j.highest))
	if onSyncFailed != nil {
		b.Pool.TrackSync(onSyncFailed)
	}
	// The journal's share of the disk is a sixteenth of its budget; an event takes 64 bytes.
	keep := min(b.Limits.Sampled+b.Limits.Dropped, int(b.Pool.DiskLimit()/16/64)/len(b.Members))
	now := b.UnixMilli(b.Now())
	names := spanlog.Names{Policies: st.names.Strings(), Destinations: st.destinations.known(decision.Seconds(now.Unix()))}
	b.Since = st.destinations.since
	for i, m := range b.Members {
		m.Lock()
		m.OpenFiles(spanlog.New(b.Pool, i), spanlog.NewJournal(b.Pool, i, names), keep)
		m.Log.SetTime(int64(now))
		m.Unlock()
	}
}

// adoptJournals gives each shard the files that it wrote. If shards or destinations have changed, redistribute writes everything that
// is remembered anew.
func (st *Store) adoptJournals(j *journals) {
	if j.foreign {
		return
	}
	highest := max(st.inventory.Sequence, j.highest)
	next := map[int]uint64{} // by shard: when its next file was begun
	until := make([]uint64, len(j.files))
	for i, f := range slices.Backward(j.files) {
		if until[i] = next[f.Shard]; until[i] == 0 {
			until[i] = highest
		}
		next[f.Shard] = f.Highest()
	}
	for i, f := range j.files {
		m := st.buffer.Members[f.Shard]
		m.Lock()
		m.Journal.Adopt(f, max(until[i], f.Highest()))
		m.Unlock()
	}
}

// inPlace reports whether a segment can stay where it is: its shard is the same as before.
func (st *Store) inPlace(f *spanlog.SegmentFile) bool {
	return st.isOurs(f.Shards, f.Seed) && f.Shard < len(st.buffer.Members) && !f.Suspect()
}

// readSegments reads the segments of unchanged shards, several shards at once.
func (st *Store) readSegments(all []*reader) {
	work := make([][]*spanlog.SegmentFile, len(all))
	for _, f := range st.inventory.Segments {
		if st.inPlace(f) {
			work[f.Shard] = append(work[f.Shard], f)
		}
	}
	shards := make(chan int, len(all))
	for i := range work {
		shards <- i
	}
	close(shards)
	var wg sync.WaitGroup
	for range cmp.Or(st.Readers, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			var scratch []byte
			for i := range shards {
				for _, f := range work[i] {
					if st.canceled.Load() {
						return
					}
					scratch = all[i].adopt(f, scratch)
					st.done.Add(f.Size)
				}
			}
		})
	}
	wg.Wait()
}

// redistribute copies the spans of all other segments to their shards of today, and deletes those segments.
func (st *Store) redistribute(all []*reader, j *journals) {
	var scratch []byte
	for _, f := range st.inventory.Segments {
		if st.inPlace(f) {
			continue
		}
		if st.canceled.Load() {
			return
		}
		scratch = st.copySegment(all, f, scratch)
		st.done.Add(f.Size)
	}
	if !j.foreign {
		return
	}
	st.reportGone(all)
	var skipped int64
	for _, r := range all {
		skipped += r.writeJournal()
	}
	if skipped > 0 { // the next start reads the old files again
		st.report([]spanlog.Damage{{Path: st.directory, Reason: fmt.Sprintf("%d records of decisions could not be rewritten; the old journals stay", skipped)}})
		return
	}
	st.deleteJournals(j.files, st.buffer.Pool.Sync)
}

// deleteJournals deletes rewritten files once sync has flushed the new ones to the disk: a power cut must leave either.
func (st *Store) deleteJournals(old []*spanlog.JournalFile, sync func() error) {
	if err := sync(); err != nil { // the next start reads the old files again
		st.report([]spanlog.Damage{{Path: st.directory, Reason: "rewritten decisions may not be on the disk; the old journals stay: " + err.Error()}})
		return
	}
	for _, f := range old {
		failpoint.Before(failpoint.RecoveryJournals)
		if err := f.Delete(); err != nil {
			st.report([]spanlog.Damage{{Path: st.directory, Reason: "deleting an old journal failed: " + err.Error()}})
		}
		failpoint.After(failpoint.RecoveryJournals)
	}
}

// copySegment copies the spans of a segment that are still needed to other segments.
func (st *Store) copySegment(all []*reader, f *spanlog.SegmentFile, scratch []byte) []byte {
	pool := st.buffer.Pool
	failed := pool.Volatile()
	contents, damage, err := f.Read(scratch, func(found spanlog.Found) {
		if span, err := wire.ParseSpan(found.Body); err == nil {
			hash := st.buffer.Seed.Hash(span.TraceID)
			all[index.ShardOf(hash, len(all))].copy(&found, &span, uint32(hash))
		} else {
			st.Lost.Add(1)
		}
	})
	if err != nil {
		st.report(unreadable(f, err))
		return contents.Scratch()
	}
	st.report(damage)
	if pool.Volatile() == failed && pool.Sync() == nil { // otherwise the copies are not on the disk
		failpoint.Before(failpoint.RecoverySegment)
		f.Delete()
		failpoint.After(failpoint.RecoverySegment)
	}
	return contents.Scratch()
}

// unreadable describes a segment that could not be read. Its file stays.
func unreadable(f *spanlog.SegmentFile, err error) []spanlog.Damage {
	return []spanlog.Damage{{Path: f.Path(), Lost: f.Spans(), Reason: err.Error()}}
}
