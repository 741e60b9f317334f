package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/failpoint"
)

// DB is an open file. Its methods may be called concurrently. If the file is damaged in use (truncated, overwritten, or unreadable),
// they return ErrCorrupt from then on, until Replace.
type DB struct {
	path    string
	opts    Options
	file    atomic.Pointer[file]
	damaged chan struct{} // gets a token when the file is found to be damaged

	// writing is held by Update: after a transaction has panicked, waiting for bbolt's own lock would never end.
	writing sync.Mutex
}

// file is a file opened by bbolt.
type file struct {
	*bbolt.DB
	pageSize int      // bytes
	metas    *os.File // the same file
	damage   atomic.Pointer[error]
	broken   chan struct{} // closed once damage is set
}

// stuckAfter is how long a transaction may go on once its file is damaged. One that reads a damaged page ends by itself; one that waits
// for a lock of bbolt's whose holder met the damage never would.
const stuckAfter = time.Second

// ErrClosed says that the file was closed.
var ErrClosed = errors.New("the file is closed")

func newDB(path string, opts Options) *DB {
	return &DB{path: path, opts: opts, damaged: make(chan struct{}, 1)}
}

// Path is the path of the file.
func (db *DB) Path() string { return db.path }

// Damaged returns a channel that receives when the file is found to be damaged. Then call Replace.
func (db *DB) Damaged() <-chan struct{} { return db.damaged }

// View runs a read transaction.
func (db *DB) View(read func(*bbolt.Tx) error) error {
	return db.use(func(f *file) error { return f.View(read) })
}

// Update runs a write transaction.
func (db *DB) Update(write func(*bbolt.Tx) error) error {
	db.writing.Lock()
	defer db.writing.Unlock()
	return db.use(func(f *file) error { return f.Update(write) })
}

// use uses the file unless it is damaged, and notes new damage.
func (db *DB) use(do func(f *file) error) error {
	f := db.file.Load()
	if f == nil {
		return fmt.Errorf("%s: %w", db.path, ErrClosed)
	}
	if damage := f.damage.Load(); damage != nil {
		return *damage
	}
	err := f.checkMetas()
	if err == nil {
		err = f.run(do)
	}
	if errors.Is(err, ErrCorrupt) {
		err = fmt.Errorf("use %s: %w", db.path, err)
		if f.damage.CompareAndSwap(nil, &err) {
			close(f.broken)
		}
		select {
		case db.damaged <- struct{}{}:
		default: // a token is there
		}
	}
	return err
}

// run runs a transaction on a goroutine, which it gives up where the file is damaged and the transaction does not end.
func (f *file) run(do func(f *file) error) error {
	done := make(chan error, 1)
	go func() {
		err := ErrClosed // unless do returns
		defer func() { done <- err }()
		err = Guard(func() error { return withoutDefects(func() error { return do(f) }) })
	}()
	select {
	case err := <-done:
		return err
	case <-f.broken:
	}
	timer := clock.NewTimer(stuckAfter)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("%w: a transaction in it does not end", ErrCorrupt)
	}
}

// ErrDefect says that a transaction failed because of a defect of the program, or of a malformed record. It changed nothing.
var ErrDefect = errors.New("a defect of the program, or a damaged record")

// withoutDefects turns the dereference of a nil pointer in f into an ErrDefect: it is no reason to move a file aside, with all its
// data. bbolt has rolled the transaction back. bbolt's panics about damaged pages, and faults in mapped memory, are other panics.
func withoutDefects(f func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		fault, ok := p.(runtime.Error)
		if _, addressed := p.(interface{ Addr() uintptr }); !ok || addressed || !strings.Contains(fault.Error(), "nil pointer") {
			panic(p)
		}
		err = fmt.Errorf("%w: %w", ErrDefect, fault)
	}()
	return f()
}

// bbolt's meta data: two pages, of which the one written last counts. They are not read through the mapping.
const (
	metaBytes    = 64
	metaAt       = 16 // in its page
	metaChecksum = 56 // in its bytes
	boltMagic    = 0xED0CDAED
	boltVersion  = 2
)

// readMeta returns the format version of a meta page of bbolt, and whether the page is valid.
func readMeta(file io.ReaderAt, page int64) (version uint32, sound bool, err error) {
	var b [metaBytes]byte
	if _, err := file.ReadAt(b[:], page+metaAt); err != nil {
		return 0, false, err
	}
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaChecksum]) // which never fails
	sound = binary.NativeEndian.Uint32(b[:]) == boltMagic && binary.NativeEndian.Uint64(b[metaChecksum:]) == sum.Sum64()
	return binary.NativeEndian.Uint32(b[4:]), sound, nil
}

// checkMetas returns ErrCorrupt if neither meta page is valid. bbolt would find that out while holding a lock that it never
// releases.
func (f *file) checkMetas() error {
	for page := range 2 {
		_, sound, err := readMeta(f.metas, int64(page*f.pageSize))
		if errors.Is(err, os.ErrClosed) {
			return ErrClosed
		}
		if sound {
			return nil
		}
	}
	return fmt.Errorf("%w: it does not begin as it was written", ErrCorrupt)
}

// isOtherBolt reports whether a file is one of bbolt's, of another format than the one that bbolt reads here.
func isOtherBolt(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // it was only read
	version, sound, err := readMeta(f, 0)
	return err == nil && sound && version != boltVersion
}

// Replace moves a damaged file aside, under the given name, and creates a new one in its place. The old one stays open,
// as transactions may be in it. It also replaces a file that was removed. On an error the DB stays as it is.
func (db *DB) Replace(aside string) error {
	db.writing.Lock()
	defer db.writing.Unlock()
	failpoint.Before(failpoint.StateAside)
	if err := os.Rename(db.path, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return explain(db.path, err)
	}
	failpoint.After(failpoint.StateAside)
	f, err := db.openFile()
	if err != nil {
		return err
	}
	db.file.Store(f)
	return nil
}

// Close waits for transactions to end, and closes the file. It leaves a damaged file open; see Guard.
func (db *DB) Close() error {
	f := db.file.Swap(nil)
	if f == nil {
		return nil
	}
	err := f.metas.Close()
	if f.damage.Load() != nil {
		return err
	}
	return errors.Join(err, Guard(f.Close))
}

// Stats returns bbolt's statistics; zero once the file is closed.
func (db *DB) Stats() bbolt.Stats {
	if f := db.file.Load(); f != nil {
		return f.Stats()
	}
	return bbolt.Stats{}
}

// PageSize is the file's page size in bytes; 0 once it is closed.
func (db *DB) PageSize() int {
	if f := db.file.Load(); f != nil {
		return f.pageSize
	}
	return 0
}
