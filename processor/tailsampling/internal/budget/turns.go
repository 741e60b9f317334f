package budget

// Turns runs Relieve and Shrink step by step, for a simulation without goroutines.
type Turns struct{ *Budget }

// TakeRelief makes the room that requests asked for, and reports whether any did.
func (g Turns) TakeRelief() bool {
	select {
	case <-g.asked.wake:
		relieveAsked(g.Budget, nil)
		return true
	default:
		return false
	}
}

// TakeTidying does what Relieve does every second.
func (g Turns) TakeTidying() { g.tidy(nil) }

// TakeShrinking shrinks segments, and reports whether that was due.
func (g Turns) TakeShrinking() bool {
	select {
	case <-g.wake:
		shrinkAsked(g.Budget, nil)
		return true
	default:
		return false
	}
}
