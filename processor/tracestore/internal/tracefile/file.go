package tracefile

import (
	"errors"
	"os"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/otherformat"
	"github.com/slowburn/slowburn/internal/state"
)

var (
	bucketChunks     = []byte("chunks")
	bucketUpdates    = []byte("updates")
	bucketIDs        = []byte("ids")
	bucketIndex      = []byte("index")
	bucketOperations = []byte("operations")
)

// FormatVersion is the version of the files that this package writes, and the only one it reads.
const FormatVersion otherformat.Version = 2

// Options configure a File.
type Options struct {
	// Retention is how long a trace is kept after it was stored.
	Retention time.Duration
	// MaxBytes limits the used bytes of the file.
	MaxBytes int64
	// Full, if set, reports whether the file must not grow now.
	Full func() bool
	Now  func() time.Time
	// ClockStable reports whether traces that are too old by Now may be evicted: not while a clock that jumped may come
	// back. Nil means always.
	ClockStable func() bool
	// Moved, if set, is called with a file of another format version, which Open then moves aside and replaces by a new one.
	Moved  func(otherformat.Moved)
	Logger *zap.Logger
}

// File is an open file.
type File struct {
	opts       Options
	db         *state.DB
	operations int     // number of entries in the bucket of that name; used by the writer only
	chunk      builder // used by the writer only
}

// contents returns the format version and the buckets of the file.
func contents() state.Options {
	return state.Options{Version: FormatVersion, Buckets: []string{
		string(bucketChunks), string(bucketUpdates), string(bucketIDs), string(bucketIndex), string(bucketOperations),
	}}
}

// OpenReadOnly opens an existing file, for Requests and other reads. It fails with state.ErrLocked if another process has it open for
// writing.
func OpenReadOnly(path string) (*File, error) {
	db, err := state.OpenReadOnly(path, contents())
	if err != nil {
		return nil, err
	}
	return &File{db: db}, nil
}

// Open opens or creates the file. Commits wait for the disk, so that the file survives a power cut; only the writer
// waits for them, not the pipeline.
func Open(path string, opts Options) (*File, error) {
	with := contents()
	with.Moved = opts.Moved
	db, err := state.Open(path, with)
	if err != nil {
		return nil, err
	}
	return &File{opts: opts, db: db, chunk: builder{limit: chunkBytes}}, nil
}

// Close waits for transactions to end and closes the file.
func (f *File) Close() error { return state.Guard(f.db.Close) }

// MoveAside renames a damaged file, so that a new one can be created, and returns its new name. It replaces a file that was
// moved aside before: one such file, which may be as large as allowed, is enough to examine.
func MoveAside(path string) (aside string, err error) {
	aside = path + ".damaged"
	failpoint.Before(failpoint.TracesAside)
	err = os.Rename(path, aside)
	failpoint.After(failpoint.TracesAside)
	return aside, err
}

func (f *File) view(read func(*bbolt.Tx) error) error {
	return state.Guard(func() error { return f.db.View(read) })
}

func (f *File) update(write func(*bbolt.Tx) error) error {
	if failpoint.Enabled { // otherwise the calls would stay in the code where update is inlined
		commit := write
		write = func(tx *bbolt.Tx) error {
			err := commit(tx)
			failpoint.Before(failpoint.TracesCommit)
			return err
		}
	}
	err := state.Guard(func() error { return f.db.Update(write) })
	if failpoint.Enabled {
		failpoint.After(failpoint.TracesCommit)
	}
	return err
}

// usedBytes returns the used bytes of the file, and its size. The file never shrinks, but reuses free pages.
func (f *File) usedBytes() (used, size int64, err error) {
	err = f.view(func(tx *bbolt.Tx) error {
		stats := f.db.Stats()
		size = tx.Size()
		used = size - int64(stats.FreePageN+stats.PendingPageN)*int64(f.db.PageSize())
		return nil
	})
	return used, size, err
}

// ErrFull says that the file must not grow, and has no room for the traces.
var ErrFull = errors.New("the file must not grow, and is full")

// A file that must not grow keeps spareShare of it free, as bbolt writes new pages before it frees the old ones; a transaction takes
// about pagesPerByte times what it stores.
const (
	spareShare   = 1.0 / 4
	pagesPerByte = 4
)

// full reports whether the file must not grow.
func (f *File) full() bool { return f.opts.Full != nil && f.opts.Full() }

// limit returns the limit of used bytes for a file of this size.
func (f *File) limit(size int64) int64 {
	if f.full() {
		return min(f.opts.MaxBytes, int64((1-spareShare)*float64(size)))
	}
	return f.opts.MaxBytes
}

// hasRoom reports whether so many bytes can be stored.
func (f *File) hasRoom(bytes int) (bool, error) {
	if !f.full() {
		return true, nil
	}
	used, size, err := f.usedBytes()
	return size-used >= int64(pagesPerByte*bytes), err
}
