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
)

// Errors of Open. The error that wraps one of them names the file and says what to do.
var (
	// ErrLocked says that another process has the file open.
	ErrLocked = errors.New("another process holds the file")
	// ErrPermission says that the process may not read or write the file or its directory.
	ErrPermission = errors.New("permission denied")
	// ErrCorrupt says that the file is damaged, or not a bbolt file.
	ErrCorrupt = errors.New("the file is damaged")
	// ErrOlder says that a file opened for reading lacks buckets or migrations of this program.
	ErrOlder = errors.New("the file is not one that this version wrote")
	// ErrNewer says that a newer version of the program wrote the file.
	ErrNewer = errors.New("the file was written by a newer version")
)

// lockTimeout is how long Open waits for the lock: long enough for a predecessor that is closing the file,
// short enough that a start does not seem to hang.
const lockTimeout = 2 * time.Second

var (
	metaBucket = []byte("meta")
	schemaKey  = []byte("schema_version")
)

// Options describe the file's contents. The zero value opens a file without buckets.
type Options struct {
	// Buckets are the top-level buckets, which Open creates if they are missing. The name "meta" is taken.
	Buckets []string
	// Migrations are the steps from each schema version to the next: the first takes version 0 to 1. A new file has
	// version 0, so it runs all of them. Each runs in a transaction of its own, after the buckets were created,
	// which also records it: a crash repeats none and skips none.
	Migrations []func(*bbolt.Tx) error
}

// Open opens or creates the file, and brings its schema up to date.
func Open(path string, opts Options) (*DB, error) {
	db := newDB(path, opts)
	f, err := db.openFile()
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
	b, err := openBolt(path, &bbolt.Options{
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

func openBolt(path string, opts *bbolt.Options) (b *bbolt.DB, err error) {
	err = Guard(func() (err error) {
		b, err = bbolt.Open(path, 0o600, opts)
		return err
	})
	if err != nil {
		return nil, explain(path, err)
	}
	return b, nil
}

// finish checks an opened file.
func finish(path string, b *bbolt.DB, check func() error) (*file, error) {
	err := Guard(check)
	var metas *os.File
	if err == nil {
		metas, err = os.Open(path)
	}
	if err == nil {
		return &file{DB: b, pageSize: b.Info().PageSize, metas: metas}, nil
	}
	err = explain(path, err)
	if errors.Is(err, ErrCorrupt) {
		return nil, err // the file stays open; see Guard
	}
	return nil, errors.Join(err, b.Close())
}

// OpenReadOnly opens an existing file for reading; nothing in it changes. It fails if the file is open for writing, or its schema is not
// the one after the migrations of opts.
func OpenReadOnly(path string, opts Options) (*DB, error) {
	if _, err := os.Stat(path); err != nil { // bbolt would create an empty file
		return nil, explain(path, err)
	}
	b, err := openBolt(path, &bbolt.Options{Timeout: lockTimeout, ReadOnly: true})
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

// checkSchema returns an error unless a file has the schema and the buckets that it would have after prepare.
func checkSchema(tx *bbolt.Tx, opts Options) error {
	var version uint64
	if meta := tx.Bucket(metaBucket); meta != nil {
		var err error
		if version, err = schemaVersion(meta); err != nil {
			return err
		}
	}
	switch known := uint64(len(opts.Migrations)); {
	case version > known:
		return fmt.Errorf("%w: its schema is %d, this program knows up to %d", ErrNewer, version, known)
	case version < known:
		return fmt.Errorf("%w: its schema is %d, not %d", ErrOlder, version, known)
	}
	for _, name := range opts.Buckets {
		if tx.Bucket([]byte(name)) == nil {
			return fmt.Errorf("%w: it has no bucket %q", ErrOlder, name)
		}
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

// prepare creates missing buckets and runs missing migrations.
func prepare(db *bbolt.DB, opts Options) error {
	complete := func(tx *bbolt.Tx) error {
		if tx.Bucket(metaBucket) == nil {
			return ErrOlder
		}
		return checkSchema(tx, opts)
	}
	if db.View(complete) == nil {
		return nil // nothing is missing: it writes nothing, as a full disk would refuse it
	}
	known := uint64(len(opts.Migrations))
	var version uint64
	err := db.Update(func(tx *bbolt.Tx) error {
		meta, err := tx.CreateBucketIfNotExists(metaBucket)
		if err != nil {
			return err
		}
		if version, err = schemaVersion(meta); err != nil {
			return err
		}
		if version > known {
			return fmt.Errorf("%w: its schema is %d, this program knows up to %d", ErrNewer, version, known)
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
	for ; err == nil && version < known; version++ {
		err = db.Update(func(tx *bbolt.Tx) error {
			if err := opts.Migrations[version](tx); err != nil {
				return fmt.Errorf("migrate the schema from %d to %d: %w", version, version+1, err)
			}
			return tx.Bucket(metaBucket).Put(schemaKey, binary.BigEndian.AppendUint64(nil, version+1))
		})
	}
	return err
}

// schemaVersion returns the version in the meta bucket; 0 if there is none yet.
func schemaVersion(meta *bbolt.Bucket) (uint64, error) {
	v := meta.Get(schemaKey)
	switch len(v) {
	case 0:
		return 0, nil
	case 8:
		return binary.BigEndian.Uint64(v), nil
	default:
		return 0, fmt.Errorf("%w: its schema version has %d bytes", berrors.ErrInvalid, len(v))
	}
}

// explain wraps an error of Open in one that names the file and says what to do.
func explain(path string, err error) error {
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
	case errors.Is(err, ErrNewer):
		return fmt.Errorf("open %s: %w: run that version, or move the file away to start afresh", path, err)
	default:
		return fmt.Errorf("open %s: %w", path, err)
	}
}
