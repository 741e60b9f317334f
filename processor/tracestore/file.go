package tracestore

import (
	"fmt"
	"runtime/debug"

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
// commits, and keeps the file whole over a power cut. The list of free pages is not written with each commit: with
// eviction it is long, and reading the file when it is opened rebuilds it.
func openFile(path string) (*state.DB, error) {
	var db *state.DB
	err := guard(func() (err error) {
		db, err = state.Open(path, state.Options{
			Buckets: []string{
				string(bucketTraces), string(bucketIDs), string(bucketIndex), string(bucketOperations),
			},
			NoFreelistSync: true,
		})
		return err
	})
	return db, err
}

// guard runs f and makes an error of a panic, also of one that reading the mapped file raises where the disk fails or the
// file is damaged: neither may end the gateway.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

// usedBytes is how much of the file holds something. The file itself never shrinks, but free pages are used again.
func usedBytes(db *state.DB) (used int64, err error) {
	err = db.View(func(tx *bbolt.Tx) error {
		stats := db.Stats()
		used = tx.Size() - int64(stats.FreePageN+stats.PendingPageN)*int64(db.Info().PageSize)
		return nil
	})
	return used, err
}
