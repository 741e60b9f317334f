package tailsampling

import (
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// readBack makes the shards what they were, from the journals and segments that are there.
//
// A span whose part of the trace was dropped or delivered is passed over. One of a kept part that was not delivered goes
// to the emitter, in the order of the decisions; one that came after its trace was sampled is a late span; all others
// wait for a decision again, with the time that they have waited already: the clock stood still while nothing ran.
func (p *Sampler) readBack() {
	inv := p.store.inventory
	p.report(inv.Damage)
	all := make([]*reader, len(p.shards))
	for i, s := range p.shards {
		s.mu.Lock()
		s.sampled.seed, s.dropped.seed, s.records.seed = p.seed, p.seed, p.seed
		s.mu.Unlock()
		all[i] = newReader(p, s)
	}
	journals := p.readJournals(all)
	p.openPool(inv, journals)
	p.adoptJournals(journals)
	p.readSegments(all)
	p.redistribute(all, journals)
	if p.store.canceled.Load() {
		return
	}
	seen := int64(0)
	for _, r := range all {
		seen = max(seen, r.seen)
	}
	for _, r := range all {
		r.finish(seen)
	}
	for _, s := range p.shards {
		s.mu.Lock()
		p.unlock(s) // which tells of links
	}
}

// journals are the files that were there.
type journals struct {
	files   []*spanlog.JournalFile
	foreign bool // whether shards were other ones
	highest uint64
}

// ours reports whether a file's shards are those of now.
func (p *Sampler) ours(shards int, s spanlog.Seed) bool {
	return shards == len(p.shards) && seed(s) == p.seed
}

// readJournals finds out what became of traces, and remembers the decisions for late spans.
func (p *Sampler) readJournals(all []*reader) *journals {
	j := &journals{files: p.store.inventory.Journals}
	for _, f := range j.files {
		var tooMany error
		damage, err := f.Read(func(e *spanlog.Event, names []string) {
			number := int32(noPolicy)
			if e.Policy >= 0 {
				var err error
				if number, err = p.names.number(readName(names[e.Policy])); err != nil {
					tooMany = err
				}
			}
			id := wire.TraceID(e.TraceID)
			hash := p.seed.hash(id)
			all[shardOf(hash, len(all))].event(e, number, uint32(hash))
		})
		if err = errors.Join(err, tooMany); err != nil {
			damage = append(damage, spanlog.Damage{Path: p.cfg.Directory, Reason: err.Error()})
		}
		p.report(damage)
		j.highest = max(j.highest, f.Highest())
		j.foreign = j.foreign || !p.ours(f.Shards(), f.Seed())
	}
	return j
}

// openPool lets the shards write.
func (p *Sampler) openPool(inv *spanlog.Inventory, j *journals) {
	p.pool.Open(p.store.dir, spanlog.Seed(p.seed), max(inv.Sequence, j.highest))
	if p.cfg.Fsync != fsyncNever {
		p.pool.TrackSync(p.writeAgain)
	}
	for i, s := range p.shards {
		s.mu.Lock()
		s.log = spanlog.New(p.pool, i)
		s.log.SetTime(s.unixMilli(p.now()))
		s.journal = spanlog.NewJournal(p.pool, i, p.names.strings())
		s.keep = min(s.sampled.limit+s.dropped.limit, int(int64(p.cfg.DiskBudget)/16/64)/len(p.shards))
		s.mu.Unlock()
	}
}

// adoptJournals hands the files to the shards that wrote them. With other shards than before all that is remembered is
// written anew, when spans were redistributed.
func (p *Sampler) adoptJournals(j *journals) {
	if j.foreign {
		return
	}
	highest := max(p.store.inventory.Sequence, j.highest)
	next := map[int]uint64{} // by shard: when the file after it was begun
	until := make([]uint64, len(j.files))
	for i, f := range slices.Backward(j.files) {
		if until[i] = next[f.Shard]; until[i] == 0 {
			until[i] = highest
		}
		next[f.Shard] = f.Highest()
	}
	for i, f := range j.files {
		s := p.shards[f.Shard]
		s.mu.Lock()
		s.journal.Adopt(f, max(until[i], f.Highest()))
		s.mu.Unlock()
	}
}

// readSegments reads the segments of shards that are the same as before, several shards at once.
func (p *Sampler) readSegments(all []*reader) {
	work := make([][]*spanlog.SegmentFile, len(all))
	for _, f := range p.store.inventory.Segments {
		if p.ours(f.Shards, f.Seed) && f.Shard < len(all) && !f.Suspect() {
			work[f.Shard] = append(work[f.Shard], f)
		}
	}
	shards := make(chan int, len(all))
	for i := range work {
		shards <- i
	}
	close(shards)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var scratch []byte
			for i := range shards {
				for _, f := range work[i] {
					if p.store.canceled.Load() {
						return
					}
					scratch = all[i].adopt(f, scratch)
					p.store.done.Add(f.Size)
				}
			}
		})
	}
	wg.Wait()
}

// redistribute copies the spans of other segments to the shards where they belong now, and deletes those segments.
func (p *Sampler) redistribute(all []*reader, j *journals) {
	var scratch []byte
	for _, f := range p.store.inventory.Segments {
		if p.ours(f.Shards, f.Seed) && f.Shard < len(all) && !f.Suspect() {
			continue
		}
		if p.store.canceled.Load() {
			return
		}
		scratch = p.copySegment(all, f, scratch)
		p.store.done.Add(f.Size)
	}
	if !j.foreign {
		return
	}
	for _, r := range all {
		r.writeJournal()
	}
	for _, f := range j.files {
		if err := f.Delete(); err != nil {
			p.report([]spanlog.Damage{{Path: p.cfg.Directory, Reason: "an old journal cannot be deleted: " + err.Error()}})
		}
	}
}

// copySegment copies what is still wanted of a segment to other segments.
func (p *Sampler) copySegment(all []*reader, f *spanlog.SegmentFile, scratch []byte) []byte {
	failed := p.pool.Volatile()
	contents, damage, err := f.Read(scratch, func(found spanlog.Found) {
		if span, err := wire.ParseSpan(found.Body); err == nil {
			hash := p.seed.hash(span.TraceID)
			all[shardOf(hash, len(all))].copy(&found, &span, uint32(hash))
		} else {
			p.store.lost.Add(1)
		}
	})
	if err != nil {
		p.report(p.unreadable(f, err))
		return contents.Scratch()
	}
	p.report(damage)
	if p.pool.Volatile() == failed && p.pool.Sync() == nil { // else the copies are not on the disk
		f.Delete()
	}
	return contents.Scratch()
}

// unreadable is the damage that a segment is which the disk does not give back. Its file stays.
func (p *Sampler) unreadable(f *spanlog.SegmentFile, err error) []spanlog.Damage {
	return []spanlog.Damage{{Path: f.Path(), Lost: f.Spans(), Reason: err.Error()}}
}
