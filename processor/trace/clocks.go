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

// clock is a Clock in the making.
type clock struct {
	Clock
	backend bool // has a SERVER or CONSUMER span
	coarse  bool // ticks in milliseconds
}

// millisecond is the granularity of clocks that do not tick in nanoseconds: those of JavaScript, mostly.
const millisecond = 1_000_000

// assignClocks gives each span its clock: that of its resource or, where the resource does not tell processes apart, one
// for each local segment of the trace. Clocks are in preorder of their first spans.
func (b *builder) assignClocks() {
	byKey := make(map[string]int)
	for _, i := range b.preorder {
		s := &b.spans[i]
		if s.Synthetic {
			continue
		}
		r := &b.resources[s.Resource]
		switch known, ok := byKey[r.clock]; {
		case r.clock != "" && ok:
			s.Clock = known
		case r.clock == "" && b.inSegment(s):
			s.Clock = b.spans[s.Parent].Clock
		default:
			s.Clock = len(b.clocks)
			b.clocks = append(b.clocks, clock{Clock: Clock{Name: r.clockName}, coarse: true})
			if r.clock != "" {
				byKey[r.clock] = s.Clock
			}
		}
		c := &b.clocks[s.Clock]
		c.backend = c.backend || isServer(s.Kind)
		c.coarse = c.coarse && s.Start%millisecond == 0 && s.End%millisecond == 0
	}
}

// inSegment says whether the span was made by the process that made its parent: same resource and, where the span's
// flags tell, not from a remote parent; where they do not, it is not the receiving end of a call.
func (b *builder) inSegment(s *Span) bool {
	if s.Parent < 0 || b.spans[s.Parent].Synthetic || b.spans[s.Parent].Resource != s.Resource {
		return false
	}
	if flags := s.Data.Flags(); flags&flagHasIsRemote != 0 {
		return flags&flagIsRemote == 0
	}
	return !isServer(s.Kind)
}
