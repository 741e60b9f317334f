package tracetest

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime returns the processor time of the calling thread so far.
func threadTime() time.Duration {
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil {
		panic(err) // available since Linux 2.6.12
	}
	return time.Duration(used.Nano())
}
