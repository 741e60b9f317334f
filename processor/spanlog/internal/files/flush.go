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

// flusher knows which files are dirty: written to, and not flushed since. It is safe for concurrent use.
type flusher struct {
	fsync   func(path string) error
	failed  func()
	running sync.Mutex // held by Sync

	mu         sync.Mutex
	open       map[string]struct{} // still being written to
	closed     map[string]struct{}
	added      bool   // a name since the directory was flushed
	superseded []File // given up once what is dirty now is flushed
}

// TrackFlush makes Sync flush. It is called before the files are used. Where a flush fails Sync calls failed, which shall
// see to it that all is written again: the system takes pages that it could not write for written.
func (d *Disk) TrackFlush(fsync func(path string) error, failed func()) {
	d.flush = &flusher{fsync: fsync, failed: failed, open: map[string]struct{}{}, closed: map[string]struct{}{}}
}

// Flushes reports whether files are flushed.
func (d *Disk) Flushes() bool { return d.flush != nil }

// Begin tells of a file that is being written to.
func (d *Disk) Begin(f File) {
	if d.flush != nil {
		d.flush.begin(d.File(f))
	}
}

// End tells of a file that is not being written to any more.
func (d *Disk) End(f File) {
	if d.flush != nil {
		d.flush.end(d.File(f))
	}
}

// Found tells of a file that a process before has written to, and may not have flushed.
func Found(d *Disk, f File) {
	d.Begin(f)
	d.End(f)
}

// Forget tells of a file that is not wanted any more.
func (d *Disk) Forget(f File) {
	if d.flush != nil {
		d.flush.forget(d.File(f))
	}
}

// Supersede gives up a file that is not mapped, and of which what is wanted was copied to another one. Where files are
// flushed it keeps it until the copy is, and for as long as those that were superseded before: see the states in the package's documentation.
func (d *Disk) Supersede(f File) {
	if d.flush == nil {
		d.GiveUp(f)
		return
	}
	d.flush.await(f)
}

// Superseded is how many bytes of files wait for Sync to be given up.
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

// flushWaiting makes room by flushing the files for which superseded ones wait, and reports whether there were any.
func (d *Disk) flushWaiting() bool { return d.Superseded() > 0 && d.Sync() == nil }

// Sync flushes what was written before the call.
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
		if err := u.fsync(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // nothing in a deleted one is wanted
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

// rename tells of a new name in the directory, of a file that is flushed.
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

// take returns all dirty files, in the order of their names, whether there are new names, and the superseded files. Closed and superseded ones are its
// caller's now.
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

// giveBack takes back what could not be flushed.
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

// Fsync flushes a file of the directory, or the directory.
func (d *Directory) Fsync(path string) error { return d.sys.Fsync(path) }
