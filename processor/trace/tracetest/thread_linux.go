package tracetest

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is what the calling thread has used of the processors so far.
func threadTime() time.Duration {
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil {
		panic(err) // the kernel has it since 2.6.12
	}
	return time.Duration(used.Nano())
}
