package tailsampling

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/bytesize"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// store is what the processor has beside its shards where they are on disk.
type store struct {
	dir       *spanlog.Directory
	inventory *spanlog.Inventory
	reading   sync.WaitGroup
	canceled  atomic.Bool

	total, done atomic.Int64 // bytes that are read back

	spans     atomic.Int64 // that were found and are still wanted
	traces    atomic.Int64 // likewise
	repeated  atomic.Int64 // spans of kept traces that may have been delivered before the crash
	lost      atomic.Int64 // spans
	tornTails atomic.Int64
}

// patience is how long Start waits for what is read back.
const patience = time.Second

// openStore takes the directory and looks at what is there.
func (p *Sampler) openStore() (err error) {
	st := p.store
	if st.dir, err = spanlog.OpenDirectory(p.cfg.Directory); err != nil {
		return err
	}
	if st.inventory, err = st.dir.Inventory(); err != nil {
		return errors.Join(err, st.dir.Close())
	}
	st.total.Store(st.inventory.Bytes)
	if st.inventory.Shards != 0 {
		p.seed = seed(st.inventory.Seed)
	}
	return nil
}

// interrupt ends the recovery before its time. What was not read back stays where it is.
func (st *store) interrupt() {
	st.canceled.Store(true)
	st.reading.Wait()
}

// progress says how far the recovery is.
func (p *Sampler) progress() string {
	if !p.onDisk {
		return "starts"
	}
	total, done := p.store.total.Load(), p.store.done.Load()
	return fmt.Sprintf("reads buffered spans back: %s of %s (%d %%)", bytesize.About(done), bytesize.About(total), 100*done/max(1, total))
}

// recover reads back what is there, and then starts the goroutines. It returns when that is done, or patience is over.
func (p *Sampler) recover(ctx context.Context) {
	done := make(chan struct{})
	p.store.reading.Go(func() {
		defer close(done)
		began := time.Now()
		p.readBack()
		if p.store.canceled.Load() {
			return
		}
		p.startFsync()
		p.ready.Store(true)
		p.run(ctx)
		if st := p.store; st.total.Load() > 0 || st.lost.Load() > 0 {
			p.logger.Info("buffered spans were read back", zap.String("directory", p.cfg.Directory),
				zap.Int64("bytes", st.total.Load()), zap.Int64("traces", st.traces.Load()), zap.Int64("spans", st.spans.Load()),
				zap.Int64("perhaps_delivered_before", st.repeated.Load()), zap.Int64("lost_spans", st.lost.Load()),
				zap.Duration("took", time.Since(began)))
		}
	})
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

func (p *Sampler) startFsync() {
	switch p.cfg.Fsync {
	case fsyncInterval:
		p.fsync = newSyncer(p.syncFiles, p.cfg.FsyncInterval)
	case fsyncAlways:
		p.fsync = newSyncer(p.syncFiles, 0)
	}
}

// writeAgain makes the next time that files are forced to the disk no false success, after one that failed.
func (p *Sampler) writeAgain() {
	for _, s := range p.shards {
		s.mu.Lock()
		if err := s.writeAgain(); err != nil {
			p.complain("the disk of the span log does not take what could not be forced to it", err, 0)
		}
		s.mu.Unlock()
	}
}

func (s *shard) writeAgain() (err error) {
	defer spanlog.Guard(&err)()
	s.log.WriteAgain()
	s.journal.WriteAgain()
	return nil
}

// report logs and counts damage.
func (p *Sampler) report(damage []spanlog.Damage) {
	for _, d := range damage {
		p.store.lost.Add(int64(d.Lost))
		if d.Torn {
			p.store.tornTails.Add(1)
		}
		log := p.logger.Error
		if d.Lost == 0 {
			log = p.logger.Warn
		}
		log("damage in the span log", zap.String("file", d.Path), zap.Int("offset", d.Offset), zap.String("found", d.Reason),
			zap.Int("lost_spans", d.Lost))
	}
}

// unread counts and tells of spans that the disk did not give back.
func (p *Sampler) unread(spans int, err error) {
	p.lost.Add(int64(spans))
	p.logger.Error("kept spans cannot be read back and are lost", zap.Int("spans", spans), zap.Error(err))
}
