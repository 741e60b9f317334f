package spanlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"
)

// unsynced is which files have been written to and not been forced to the disk. It is safe for concurrent use.
type unsynced struct {
	force   func(path string) error
	failed  func()
	running sync.Mutex // held by Sync

	mu     sync.Mutex
	open   map[string]struct{} // still being written to
	closed map[string]struct{}
	added  bool // since the directory was synced
}

func (u *unsynced) begin(path string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.open == nil {
		u.open, u.closed = map[string]struct{}{}, map[string]struct{}{}
	}
	u.open[path] = struct{}{}
	u.added = true
}

// rename tells of a new name in the directory, of a file that is on the disk.
func (u *unsynced) rename() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.added = true
}

func (u *unsynced) end(path string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, ok := u.open[path]; ok {
		delete(u.open, path)
		u.closed[path] = struct{}{}
	}
}

func (u *unsynced) forget(path string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.open, path)
	delete(u.closed, path)
}

// take returns all files, and whether there are new ones. Those that are closed are its caller's now.
func (u *unsynced) take() (paths []string, added bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for path := range u.open {
		paths = append(paths, path)
	}
	for path := range u.closed {
		paths = append(paths, path)
	}
	clear(u.closed)
	added, u.added = u.added, false
	return paths, added
}

// giveBack takes back what could not be synced.
func (u *unsynced) giveBack(paths []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.added = true
	for _, path := range paths {
		if _, ok := u.open[path]; !ok {
			u.closed[path] = struct{}{}
		}
	}
}

// TrackSync makes Sync know what to do. It is called before the pool is used. Where a Sync fails it calls failed, which
// shall see to it that all is written again (WriteAgain): the system takes pages that it could not write for written.
func (p *Pool) TrackSync(failed func()) { p.unsynced = &unsynced{force: syncFile, failed: failed} }

// Sync forces to the disk what was appended before the call.
func (p *Pool) Sync() error {
	if p.unsynced == nil {
		return nil
	}
	p.unsynced.running.Lock() // who comes later must not be told of success while a file of theirs is being forced
	defer p.unsynced.running.Unlock()
	waiting := p.takeWaiting()
	paths, added := p.unsynced.take()
	var errs []error
	for _, path := range paths {
		if err := p.unsynced.force(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // nothing in a deleted one is wanted
			errs = append(errs, err)
		}
	}
	if added {
		errs = append(errs, p.unsynced.force(p.dir.path))
	}
	if err := errors.Join(errs...); err != nil {
		p.unsynced.giveBack(paths)
		for _, f := range waiting {
			p.await(f)
		}
		p.unsynced.failed()
		return fmt.Errorf("force the span log to the disk: %w", err)
	}
	for _, f := range waiting {
		p.giveUp(f)
	}
	return nil
}

// syncWaiting makes room on the disk by forcing files to it for which others wait, and reports whether there were any.
func (p *Pool) syncWaiting() bool {
	p.mu.Lock()
	any := len(p.waiting) > 0
	p.mu.Unlock()
	return any && p.Sync() == nil
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer closeQuietly(f)
	return f.Sync()
}

// writing, written and unwanted tell Sync about a file, where it is used.
func (p *Pool) writing(number uint64, suffix string) {
	if p.unsynced != nil && number != 0 {
		p.unsynced.begin(p.dir.file(number, suffix))
	}
}

func (p *Pool) written(number uint64, suffix string) {
	if p.unsynced != nil && number != 0 {
		p.unsynced.end(p.dir.file(number, suffix))
	}
}

func (p *Pool) unwanted(number uint64, suffix string) {
	if p.unsynced != nil && number != 0 {
		p.unsynced.forget(p.dir.file(number, suffix))
	}
}

// dirty makes the system write all pages of a mapped file once more.
func dirty(b []byte) {
	const least = 4 << 10 // the size of a page, or a part of it
	for at := 0; at < len(b); at += least {
		word := (*uint32)(unsafe.Pointer(&b[at]))
		atomic.StoreUint32(word, atomic.LoadUint32(word))
	}
}

// WriteAgain makes the next Sync write what is in memory whether the system believes to have written it or not. Where the
// disk fails under it, that is a fault: see Guard.
func (l *Log) WriteAgain() {
	for i := range l.segments {
		if s := &l.segments[i]; s.mem.onDisk() {
			dirty(s.mem.buf[:s.used])
		}
	}
}

// WriteAgain is as that of Log, for the file that is being written to.
func (j *Journal) WriteAgain() {
	if j != nil && j.current.buf != nil {
		dirty(j.current.buf[:j.used])
	}
}
