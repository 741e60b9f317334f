package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/slowburn/slowburn/internal/access"
	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/freespace"
	"github.com/slowburn/slowburn/internal/otherformat"
)

// Errors of Open, besides *otherformat.Error. The error that wraps one of them names the file and says what to do.
var (
	// ErrLocked says that another process has the file open.
	ErrLocked = errors.New("another process holds the file")
	// ErrPermission says that the process may not read or write the file or its directory.
	ErrPermission = errors.New("permission denied")
	// ErrCorrupt says that the file is damaged, or not a bbolt file.
	ErrCorrupt = errors.New("the file is damaged")
)

// lockTimeout is how long Open waits for the lock: long enough for a predecessor that is closing the file,
// short enough that a start does not seem to hang.
const lockTimeout = 2 * time.Second

var (
	metaBucket = []byte("meta")
	versionKey = []byte("schema_version")
)

// Options are what Open needs to know of the file's contents. The zero value opens a file without buckets, of version 0.
type Options struct {
	// Version is the format version of the contents. It goes up where a program that knows the former one would misread them.
	Version otherformat.Version
	// Buckets are the top-level buckets that exist after Open. The name "meta" is taken.
	Buckets []string
	// Moved, if set, is called with a file of another version, which Open then moves aside and replaces by a new one. Without it
	// Open fails.
	Moved func(otherformat.Moved)
}

// Open opens the file, which it makes if need be. It fails with an *otherformat.Error where the file is of another version and
// Options.Moved is nil.
func Open(path string, opts Options) (*DB, error) {
	db := newDB(path, opts)
	f, err := db.openFile()
	if other := (*otherformat.Error)(nil); errors.As(err, &other) && opts.Moved != nil {
		moved, failed := otherformat.MoveFile(path, other.Version)
		if failed != nil {
			return nil, errors.Join(err, explain(path, failed))
		}
		opts.Moved(moved)
		f, err = db.openFile()
	}
	if err != nil {
		return nil, err
	}
	db.file.Store(f)
	return db, nil
}

// openFile opens the file for reading and writing.
func (db *DB) openFile() (*file, error) {
	path, opts := db.path, db.opts
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, explain(path, err)
	}
	b, err := openBolt(path, opts.Version, &bbolt.Options{
		Timeout:      lockTimeout,
		FreelistType: bbolt.FreelistMapType, // the array type slows down with a fragmented file
		// Never NoFreelistSync: bbolt would walk the whole file when it opens it, in a goroutine of its own, so
		// that a single damaged page would cause a panic that cannot be recovered.
		NoFreelistSync: false,
	})
	if err != nil {
		return nil, err
	}
	return finish(path, b, func() error { return prepare(b, opts) })
}

func openBolt(path string, reads otherformat.Version, opts *bbolt.Options) (b *bbolt.DB, err error) {
	err = Guard(func() (err error) {
		b, err = bbolt.Open(path, 0o600, opts)
		return err
	})
	if err == nil {
		return b, nil
	}
	if isOtherBolt(path) {
		err = &otherformat.Error{Version: otherformat.Unknown, Reads: reads}
	}
	return nil, explain(path, err)
}

// finish checks an opened file.
func finish(path string, b *bbolt.DB, check func() error) (*file, error) {
	err := Guard(check)
	var metas *os.File
	if err == nil {
		metas, err = os.Open(path)
	}
	if err == nil {
		return &file{DB: b, pageSize: b.Info().PageSize, metas: metas, broken: make(chan struct{})}, nil
	}
	err = explain(path, err)
	if errors.Is(err, ErrCorrupt) {
		return nil, err // the file stays open; see Guard
	}
	return nil, errors.Join(err, b.Close())
}

// OpenReadOnly opens a file that is there, for reading alone: nothing in it changes. It fails where the file is open for writing, with an
// *otherformat.Error where it is of another version, and with ErrCorrupt where it lacks a bucket.
func OpenReadOnly(path string, opts Options) (*DB, error) {
	if _, err := os.Stat(path); err != nil { // bbolt would create an empty file
		return nil, explain(path, err)
	}
	b, err := openBolt(path, opts.Version, &bbolt.Options{Timeout: lockTimeout, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	f, err := finish(path, b, func() error { return b.View(func(tx *bbolt.Tx) error { return checkSchema(tx, opts) }) })
	if err != nil {
		return nil, err
	}
	db := newDB(path, opts)
	db.file.Store(f)
	return db, nil
}

// checkSchema returns an error unless a file has the version and the buckets that it would have after prepare.
func checkSchema(tx *bbolt.Tx, opts Options) error {
	if err := checkVersion(tx, opts.Version); err != nil {
		return err
	}
	if tx.Bucket(metaBucket) == nil {
		return &otherformat.Error{Reads: opts.Version}
	}
	for _, name := range opts.Buckets {
		if tx.Bucket([]byte(name)) == nil {
			return fmt.Errorf("%w: it has no bucket %q", ErrCorrupt, name)
		}
	}
	return nil
}

// checkVersion returns an *otherformat.Error for a file of another version. One without buckets has none yet.
func checkVersion(tx *bbolt.Tx, reads otherformat.Version) error {
	if first, _ := tx.Cursor().First(); first == nil {
		return nil
	}
	var version otherformat.Version // 0 where the file does not say
	if meta := tx.Bucket(metaBucket); meta != nil {
		switch v := meta.Get(versionKey); len(v) {
		case 0:
		case 8:
			version = otherformat.Version(binary.BigEndian.Uint64(v))
		default:
			return fmt.Errorf("%w: its format version has %d bytes", ErrCorrupt, len(v))
		}
	}
	if version != reads {
		return &otherformat.Error{Version: version, Reads: reads}
	}
	return nil
}

// Guard runs f, which uses a DB, and turns a panic into ErrCorrupt: bbolt panics on damaged pages, and reading a mapped
// file faults if it was truncated or the disk fails. Do not Close the DB after that: bbolt may hold its locks for ever,
// and Close would wait for them.
func Guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, p)
		}
	}()
	return f()
}

// prepare makes the buckets, and notes the version, in one transaction: a crash leaves all or nothing of it.
func prepare(db *bbolt.DB, opts Options) error {
	if db.View(func(tx *bbolt.Tx) error { return checkSchema(tx, opts) }) == nil {
		return nil // all is there: nothing is written, which a full disk would not take
	}
	err := db.Update(func(tx *bbolt.Tx) error {
		if err := checkVersion(tx, opts.Version); err != nil {
			return err
		}
		meta, err := tx.CreateBucketIfNotExists(metaBucket)
		if err != nil {
			return err
		}
		if err := meta.Put(versionKey, binary.BigEndian.AppendUint64(nil, uint64(opts.Version))); err != nil {
			return err
		}
		for _, name := range opts.Buckets {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return fmt.Errorf("make bucket %q: %w", name, err)
			}
		}
		failpoint.Before(failpoint.StateCreate)
		return nil
	})
	failpoint.After(failpoint.StateCreate)
	return err
}

// explain wraps an error of Open in one that names the file and says what to do.
func explain(path string, err error) error {
	if other := (*otherformat.Error)(nil); errors.As(err, &other) {
		return fmt.Errorf("open %s: %w: run the version that wrote it, or move the file away to start afresh", path, err)
	}
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("open %s: %w: stop the other process, or give this one a directory of its own", path, ErrLocked)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open %s: %w: %s (%w)", path, ErrPermission, access.Advice(err), err)
	case freespace.Advice(filepath.Dir(path), err) != "":
		return fmt.Errorf("open %s: %w: %s", path, err, freespace.Advice(filepath.Dir(path), err))
	case access.Advice(err) != "":
		return fmt.Errorf("open %s: %w: %s", path, err, access.Advice(err))
	case errors.Is(err, ErrCorrupt), errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum),
		errors.Is(err, berrors.ErrVersionMismatch), strings.Contains(err.Error(), "file size too small"): // bbolt has no value for it
		return fmt.Errorf("open %s: %w: restore it from a backup, or move it away to start afresh (%w)", path, ErrCorrupt, err)
	default:
		return fmt.Errorf("open %s: %w", path, err)
	}
}
