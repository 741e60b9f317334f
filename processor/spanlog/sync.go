package spanlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// unsynced is which files have been written to and not been forced to the disk. It is safe for concurrent use.
type unsynced struct {
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

// TrackSync makes Sync know what to do. It is called before the pool is used.
func (p *Pool) TrackSync() { p.unsynced = &unsynced{} }

// Sync forces to the disk what was appended before the call.
func (p *Pool) Sync() error {
	if p.unsynced == nil {
		return nil
	}
	paths, added := p.unsynced.take()
	var errs []error
	for _, path := range paths {
		if err := syncFile(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // nothing in a deleted one is wanted
			errs = append(errs, err)
		}
	}
	if added {
		errs = append(errs, syncFile(p.dir.path))
	}
	if err := errors.Join(errs...); err != nil {
		p.unsynced.giveBack(paths)
		return fmt.Errorf("force the span log to the disk: %w", err)
	}
	return nil
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
