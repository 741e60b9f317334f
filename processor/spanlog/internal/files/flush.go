package files

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"github.com/slowburn/slowburn/internal/failpoint"
)

// flusher tracks dirty files: those written since they were flushed. It is safe for concurrent use.
type flusher struct {
	fsync   func(path string) error
	failed  func()
	running sync.Mutex // held by Sync

	mu         sync.Mutex
	open       map[string]struct{} // still being written to
	closed     map[string]struct{}
	added      bool   // the directory has new names since it was flushed
	superseded []File // given up once all files that are dirty now are flushed
}

// TrackFlush makes Sync flush. Call it before the files are used. If a flush fails, Sync calls failed, which must make all
// mapped pages dirty again: the kernel marks pages clean that it could not write.
func (d *Disk) TrackFlush(fsync func(path string) error, failed func()) {
	d.flush = &flusher{fsync: fsync, failed: failed, open: map[string]struct{}{}, closed: map[string]struct{}{}}
}

// Flushes reports whether files are flushed.
func (d *Disk) Flushes() bool { return d.flush != nil }

// Begin marks a file as dirty, and as being written to.
func (d *Disk) Begin(f File) {
	if d.flush != nil {
		d.flush.begin(d.File(f))
	}
}

// End marks a file as written: it is dirty until the next flush.
func (d *Disk) End(f File) {
	if d.flush != nil {
		d.flush.end(d.File(f))
	}
}

// Found marks a file of a former process as dirty, as it may not be flushed.
func Found(d *Disk, f File) {
	d.Begin(f)
	d.End(f)
}

// Forget marks a file as not dirty, because its contents are not needed any more.
func (d *Disk) Forget(f File) {
	if d.flush != nil {
		d.flush.forget(d.File(f))
	}
}

// Supersede gives up a file that is not mapped and whose live records were copied to another. Where files are flushed it keeps
// the file until the copy is flushed. Files are given up in the order of their Supersede calls.
func (d *Disk) Supersede(f File) {
	if d.flush == nil {
		d.GiveUp(f)
		return
	}
	d.flush.await(f)
}

// Superseded returns the size in bytes of the files that the next Sync gives up.
func (d *Disk) Superseded() (n int64) {
	if d.flush == nil {
		return 0
	}
	d.flush.mu.Lock()
	defer d.flush.mu.Unlock()
	for _, f := range d.flush.superseded {
		n += f.Size
	}
	return n
}

// flushWaiting calls Sync if there are superseded files, which makes room, and reports whether it gave them up.
func (d *Disk) flushWaiting() bool { return d.Superseded() > 0 && d.Sync() == nil }

// Sync flushes all that was written before the call, and then gives up the superseded files.
func (d *Disk) Sync() error {
	u := d.flush
	if u == nil {
		return nil
	}
	u.running.Lock() // a later call must not succeed while a file of its caller is still being flushed
	defer u.running.Unlock()
	paths, added, superseded := u.take()
	failpoint.Before(failpoint.SpanlogFsync)
	var errs []error
	for _, path := range paths {
		if err := u.fsync(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // a deleted file was not needed any more
			errs = append(errs, err)
		}
	}
	if added {
		errs = append(errs, u.fsync(d.path))
	}
	if err := errors.Join(errs...); err != nil {
		u.giveBack(paths, superseded)
		u.failed()
		return fmt.Errorf("flush the span log to the disk: %w", err)
	}
	failpoint.After(failpoint.SpanlogFsync)
	for _, f := range superseded {
		d.GiveUp(f)
	}
	return nil
}

func (u *flusher) begin(path string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.open[path] = struct{}{}
	u.added = true
}

func (u *flusher) end(path string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, ok := u.open[path]; ok {
		delete(u.open, path)
		u.closed[path] = struct{}{}
	}
}

func (u *flusher) forget(path string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.open, path)
	delete(u.closed, path)
}

// rename marks the directory as dirty, after a flushed file got a new name.
func (u *flusher) rename() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.added = true
}

func (u *flusher) await(f File) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.superseded = append(u.superseded, f)
}

// take returns all dirty files, sorted, whether the directory has new names, and the superseded files. It clears these, except
// for files that are still being written to.
func (u *flusher) take() (paths []string, added bool, superseded []File) {
	u.mu.Lock()
	defer u.mu.Unlock()
	paths = slices.AppendSeq(slices.Collect(maps.Keys(u.open)), maps.Keys(u.closed))
	slices.Sort(paths)
	clear(u.closed)
	added, u.added = u.added, false
	superseded, u.superseded = u.superseded, nil
	return paths, added, superseded
}

// giveBack restores what take returned, after a flush that failed.
func (u *flusher) giveBack(paths []string, superseded []File) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.added = true
	for _, path := range paths {
		if _, ok := u.open[path]; !ok {
			u.closed[path] = struct{}{}
		}
	}
	u.superseded = append(u.superseded, superseded...)
}

// Fsync flushes the directory, or a file in it.
func (d *Directory) Fsync(path string) error { return d.sys.Fsync(path) }
