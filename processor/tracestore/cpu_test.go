package tracestore

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime returns the CPU time of the process so far. Benchmarks report it, since the wall time of a store is that of the disk's syncs.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
