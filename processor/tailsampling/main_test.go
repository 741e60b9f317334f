package tailsampling

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

// storageUnderTest is the storage of tests and benchmarks that do not choose; SPANLOG_STORAGE sets it for benchmarks.
var storageUnderTest = cmp.Or(os.Getenv("SPANLOG_STORAGE"), storageMemory)

// withEitherStorage runs a test twice, as subtests memory and disk.
func withEitherStorage(t *testing.T, test func(t *testing.T)) {
	before := storageUnderTest
	defer func() { storageUnderTest = before }()
	for _, storageUnderTest = range []string{storageMemory, storageDisk} {
		t.Run(storageUnderTest, test)
	}
}

// directories is the parent of the tests' directories on disk.
var (
	directories string
	directory   atomic.Int64
)

// newDirectory returns a path that does not exist yet.
func newDirectory() string {
	return filepath.Join(directories, fmt.Sprint(directory.Add(1)))
}

// run implements TestMain. It does not return.
func run(m *testing.M) { goleak.VerifyTestMain(inDirectories{m}) }

type inDirectories struct{ m *testing.M }

// Run runs the tests with a directory for their files.
func (d inDirectories) Run() int {
	var err error
	if directories, err = os.MkdirTemp("", "spans"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(directories)
	return d.m.Run()
}
