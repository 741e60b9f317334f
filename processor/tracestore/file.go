package tracestore

import (
	"os"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
)

var (
	bucketTraces     = []byte("traces")
	bucketIDs        = []byte("ids")
	bucketIndex      = []byte("index")
	bucketOperations = []byte("operations")
)

// openFile opens the store's file. Commits wait for the disk, which costs the pipeline nothing, as only the writer
// commits, and keeps the file whole over a power cut.
func openFile(path string) (*state.DB, error) {
	return state.Open(path, state.Options{Buckets: []string{
		string(bucketTraces), string(bucketIDs), string(bucketIndex), string(bucketOperations),
	}})
}

// view runs f in a read transaction, update in one that writes. An error that is state.ErrCorrupt says that the file is
// damaged, or the disk under it.
func view(db *state.DB, f func(*bbolt.Tx) error) error {
	return state.Guard(func() error { return db.View(f) })
}

func update(db *state.DB, f func(*bbolt.Tx) error) error {
	return state.Guard(func() error { return db.Update(f) })
}

// moveAside renames a damaged file, so that a new one can be started, and returns its new name. It takes the place of one
// that was moved before: of files that may each be as large as max_bytes, one is enough to look into.
func moveAside(path string) (aside string, err error) {
	aside = path + ".damaged"
	return aside, os.Rename(path, aside)
}

// usedBytes is how much of the file holds something. The file itself never shrinks, but free pages are used again.
func usedBytes(db *state.DB) (used int64, err error) {
	err = view(db, func(tx *bbolt.Tx) error {
		stats := db.Stats()
		used = tx.Size() - int64(stats.FreePageN+stats.PendingPageN)*int64(db.Info().PageSize)
		return nil
	})
	return used, err
}
