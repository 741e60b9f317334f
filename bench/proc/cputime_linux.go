package proc

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime is CPUSeconds to the nanosecond, by the process's clock, for windows in which ticks are too coarse.
func CPUTime(pid int) (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED: all threads of the process, as the scheduler accounts them
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|scheduled, &t); err != nil {
		return 0, fmt.Errorf("the CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}
