package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// What Open may find. The error that wraps one of them names the file and says what to do.
var (
	// ErrLocked says that another process has the file open.
	ErrLocked = errors.New("another process holds the file")
	// ErrPermission says that the process may not read or write the file or its directory.
	ErrPermission = errors.New("permission denied")
	// ErrCorrupt says that the file is no bbolt file, or a damaged one.
	ErrCorrupt = errors.New("the file is damaged")
	// ErrNewer says that a newer version of the program wrote the file.
	ErrNewer = errors.New("the file was written by a newer version")
)

// defaultTimeout is how long Open waits for the lock: long enough for a predecessor that is just closing the file,
// short enough that a start-up does not seem to hang.
const defaultTimeout = 2 * time.Second

var (
	metaBucket = []byte("meta")
	schemaKey  = []byte("schema_version")
)

// Options are what Open needs to know of the file's contents. The zero value opens a file without buckets.
type Options struct {
	// Buckets are the top-level buckets that exist after Open. The name "meta" is taken.
	Buckets []string
	// Migrations are the steps from each schema version to the next: the first takes version 0 to 1. A new file has
	// version 0, so it runs all of them. Each runs in a transaction of its own, after the buckets were made, and
	// together with the note that it ran: a crash repeats none and skips none.
	Migrations []func(*bbolt.Tx) error
	// Timeout is how long to wait for the file's lock; 0 means 2 s.
	Timeout time.Duration
	// NoSync leaves it to the kernel when pages reach the disk. A killed process loses nothing by it; a power cut may
	// leave a damaged file. Only for what can be lost. (See bbolt's own NoSync.)
	NoSync bool
	// NoFreelistSync does not write the list of free pages with each transaction. Opening a large file then takes
	// longer, writing to it less.
	NoFreelistSync bool
}

// DB is an open file. Its methods are bbolt's and may be called concurrently.
type DB struct{ *bbolt.DB }

// Open opens the file, which it makes if need be, and brings its schema up to date.
func Open(path string, opts Options) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, explain(path, err)
	}
	timeout := opts.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	b, err := open(path, &bbolt.Options{
		Timeout:        timeout,
		NoSync:         opts.NoSync,
		NoFreelistSync: opts.NoFreelistSync,
		FreelistType:   bbolt.FreelistMapType, // the array type slows down with a fragmented file
	})
	if err != nil {
		return nil, explain(path, err)
	}
	db := &DB{b}
	if err := db.prepare(opts); err != nil {
		return nil, errors.Join(explain(path, err), b.Close())
	}
	return db, nil
}

// open is bbolt.Open, which panics on some damaged files.
func open(path string, opts *bbolt.Options) (db *bbolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", berrors.ErrInvalid, p)
		}
	}()
	return bbolt.Open(path, 0o600, opts)
}

// prepare makes the buckets and runs the migrations that the file lacks.
func (db *DB) prepare(opts Options) error {
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
		return nil
	})
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

// schemaVersion reads the version out of the meta bucket; 0 where there is none yet.
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

// explain wraps what Open met in an error that names the file and says what to do.
func explain(path string, err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("open %s: %w: stop the other process, or give this one a directory of its own", path, ErrLocked)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open %s: %w: let the user that runs this process own the directory and the file (%w)",
			path, ErrPermission, err)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return fmt.Errorf("open %s: %w: restore it from a backup, or move it away to start afresh (%w)", path, ErrCorrupt, err)
	case errors.Is(err, ErrNewer):
		return fmt.Errorf("open %s: %w: run that version, or move the file away to start afresh", path, err)
	default:
		return fmt.Errorf("open %s: %w", path, err)
	}
}
