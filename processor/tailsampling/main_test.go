package tailsampling

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

// storageUnderTest is where the spans of tests that do not choose are.
var storageUnderTest = storageMemory

// directories is where those of tests on disk are.
var (
	directories string
	directory   atomic.Int64
)

// newDirectory is one that does not exist yet.
func newDirectory() string {
	return filepath.Join(directories, fmt.Sprint(directory.Add(1)))
}

// runWithEitherStorage is what TestMain does.
func runWithEitherStorage(m *testing.M) { goleak.VerifyTestMain(twice{m}) }

type twice struct{ m *testing.M }

// Run runs them, or, with SPANLOG_STORAGE set, only those rounds (to profile one).
func (t twice) Run() int {
	storages := []string{storageMemory, storageDisk}
	if only := os.Getenv("SPANLOG_STORAGE"); only != "" {
		storages = []string{only}
	}
	var err error
	if directories, err = os.MkdirTemp("", "spans"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(directories)
	code := 0
	for _, storageUnderTest = range storages {
		code = max(code, t.m.Run())
	}
	return code
}
