package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// readAtOnce is the longest time between readings of two clocks, unless the thread was interrupted.
const readAtOnce = time.Millisecond

// suspended returns the total sleep of the machine since it booted, from the monotonic clock, which stands still meanwhile, and the
// boot-time clock, which does not. It is 0 if the kernel does not provide them.
func suspended() time.Duration {
	for {
		before, err := readClock(unix.CLOCK_MONOTONIC)
		if err != nil {
			return 0
		}
		boot, err := readClock(unix.CLOCK_BOOTTIME)
		if err != nil {
			return 0
		}
		if after, err := readClock(unix.CLOCK_MONOTONIC); err != nil || after-before <= readAtOnce {
			return (boot - before).Round(readAtOnce)
		}
	}
}

func readClock(clock int32) (time.Duration, error) {
	var at unix.Timespec
	err := unix.ClockGettime(clock, &at)
	return time.Duration(at.Nano()), err
}
