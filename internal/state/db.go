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

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/failpoint"
)

// DB is an open file. Its methods may be called concurrently. Where the file is damaged while it is used, be it cut off, overwritten, or
// not given back by the disk, they return ErrCorrupt from then on, until StartAnew.
type DB struct {
	path    string
	opts    Options
	file    atomic.Pointer[file]
	damaged chan struct{} // holds a token once the file was found to be damaged

	// writing is held by Update: whoever waited for bbolt's own lock would wait for good once a transaction has panicked.
	writing sync.Mutex
}

// file is what bbolt opened.
type file struct {
	*bbolt.DB
	pageSize int      // bytes
	metas    *os.File // the same file
	damage   atomic.Pointer[error]
}

// ErrClosed says that the file was closed.
var ErrClosed = errors.New("the file is closed")

func newDB(path string, opts Options) *DB {
	return &DB{path: path, opts: opts, damaged: make(chan struct{}, 1)}
}

// Path is where the file is.
func (db *DB) Path() string { return db.path }

// Damaged tells that the file was found to be damaged. StartAnew is what to do then.
func (db *DB) Damaged() <-chan struct{} { return db.damaged }

// View reads in a transaction of bbolt's.
func (db *DB) View(read func(*bbolt.Tx) error) error {
	return db.use(func(f *file) error { return f.View(read) })
}

// Update writes in a transaction of bbolt's.
func (db *DB) Update(write func(*bbolt.Tx) error) error {
	db.writing.Lock()
	defer db.writing.Unlock()
	return db.use(func(f *file) error { return f.Update(write) })
}

// use uses the file, unless it is damaged, and notes if it is.
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
		err = Guard(func() error { return withoutDefects(func() error { return do(f) }) })
	}
	if errors.Is(err, ErrCorrupt) {
		err = fmt.Errorf("use %s: %w", db.path, err)
		f.damage.CompareAndSwap(nil, &err)
		select {
		case db.damaged <- struct{}{}:
		default: // it was told
		}
	}
	return err
}

// ErrDefect is a transaction that failed by a defect of the program, or by a record that is not what it should be. It changed nothing.
var ErrDefect = errors.New("a defect of the program, or a damaged record")

// withoutDefects makes an ErrDefect of a nil pointer that f follows: a file is not to be moved aside, with all that it holds, for that.
// bbolt has rolled the transaction back. What bbolt says of a damaged page, and a fault in what is mapped, are other panics.
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

// Where bbolt has what it begins with: two pages, of which the one that was written last counts. Neither is read by mapping.
const (
	metaBytes    = 64
	metaAt       = 16 // in its page
	metaChecksum = 56 // in its bytes
	boltMagic    = 0xED0CDAED
	boltVersion  = 2
)

// readMeta returns the format version of a page that bbolt begins with, and false where the page is not sound.
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

// checkMetas returns ErrCorrupt where neither page that bbolt begins with is sound. It would find that out with a lock that it never
// gives back.
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

// StartAnew moves a damaged file aside, under the given name, and opens a new one in its place. The old one stays open, as
// transactions may be in it. A file that somebody removed is replaced too. Where it fails the DB stays as it is.
func (db *DB) StartAnew(aside string) error {
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

// Close waits for transactions to end, and closes the file. One that is damaged stays open; see Guard.
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

// Stats are bbolt's; zero once the file is closed.
func (db *DB) Stats() bbolt.Stats {
	if f := db.file.Load(); f != nil {
		return f.Stats()
	}
	return bbolt.Stats{}
}

// PageSize is that of the file in bytes; 0 once it is closed.
func (db *DB) PageSize() int {
	if f := db.file.Load(); f != nil {
		return f.pageSize
	}
	return 0
}
