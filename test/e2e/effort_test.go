//go:build e2e

package e2e

import (
	"os"
	"sync"
	"testing"
	"time"
)

// soaking reports whether the tests may take the time that `make soak` gives them: E2E_SOAK=1.
func soaking() bool { return os.Getenv("E2E_SOAK") != "" }

// lasting returns the duration of a load: short in `make check`, long in `make soak`.
func lasting(short, long time.Duration) time.Duration {
	if soaking() {
		return long
	}
	return short
}

var heavy sync.Mutex

// parallelHeavy runs a test that keeps every processor busy in parallel with tests that mostly wait, and with no other heavy one.
func parallelHeavy(t *testing.T) {
	t.Helper()
	t.Parallel()
	heavy.Lock()
	t.Cleanup(heavy.Unlock)
}
