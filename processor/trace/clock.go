package trace

// ClockStatus is the result of a clock's correction. A higher status is worse.
type ClockStatus uint8

// Results of a correction.
const (
	// ClockNone: the clock agrees with the others as far as known. It was not corrected.
	ClockNone ClockStatus = iota
	// ClockBounded: its offset is known to within its uncertainty.
	ClockBounded
	// ClockOneSided: its offset is at least the applied one; nothing bounds it from above.
	ClockOneSided
	// ClockStep: its bounds contradict each other, so it was set while the trace ran.
	ClockStep
	// ClockResidual: with all clocks corrected, one of its spans still started before its parent, and was moved on its
	// own.
	ClockResidual
)

var clockStatusNames = [...]string{"none", "bounded", "one_sided", "step", "residual"}

func (s ClockStatus) String() string { return clockStatusNames[s] }

// Clock is the clock of one process, as far as resources or the shape of the trace identify processes.
type Clock struct {
	// Name is the service, and the instance if the resource names one.
	Name string
	// Offset is added to the clock's times, in nanoseconds.
	Offset int64
	// Uncertainty is the largest error of the offset in nanoseconds; -1 if nothing bounds it.
	Uncertainty int64
	// Pairs counts the edges of the trace that bound the clock.
	Pairs  int
	Status ClockStatus
}
