package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// readAtOnce is how long reading two clocks takes at most, unless the thread was held up in between.
const readAtOnce = time.Millisecond

// suspended returns for how long the machine has slept since it booted: the monotonic clock stands still meanwhile, the one of the time
// since the boot does not. It is 0 where the kernel does not say.
func suspended() time.Duration {
	for {
		before, err := read(unix.CLOCK_MONOTONIC)
		if err != nil {
			return 0
		}
		boot, err := read(unix.CLOCK_BOOTTIME)
		if err != nil {
			return 0
		}
		if after, err := read(unix.CLOCK_MONOTONIC); err != nil || after-before <= readAtOnce {
			return (boot - before).Round(readAtOnce)
		}
	}
}

func read(clock int32) (time.Duration, error) {
	var at unix.Timespec
	err := unix.ClockGettime(clock, &at)
	return time.Duration(at.Nano()), err
}
