package trace

// ClockStatus says how a clock's correction was found. The later, the worse.
type ClockStatus uint8

// How a clock's correction can have been found.
const (
	// ClockNone: the clock agrees with the others, or nothing says otherwise. It was not corrected.
	ClockNone ClockStatus = iota
	// ClockBounded: its offset is known to within its uncertainty.
	ClockBounded
	// ClockOneSided: its offset is at least what was applied; nothing says by how much more.
	ClockOneSided
	// ClockStep: its bounds contradict each other, so it was set while the trace ran.
	ClockStep
	// ClockResidual: with all clocks corrected, a span of it still started before its parent, and was moved on its own.
	ClockResidual
)

var clockStatusNames = [...]string{"none", "bounded", "one_sided", "step", "residual"}

func (s ClockStatus) String() string { return clockStatusNames[s] }

// Clock is what timed the spans of one process, as far as their resources or the shape of the trace tell processes apart.
type Clock struct {
	// Name is the service, and the instance where the resource names one.
	Name string
	// Offset is what the correction adds to the clock's times, in nanoseconds.
	Offset int64
	// Uncertainty is how far the offset may be off, in nanoseconds; -1 where nothing bounds it.
	Uncertainty int64
	// Pairs counts the edges of the trace that said something about the clock.
	Pairs  int
	Status ClockStatus
}
