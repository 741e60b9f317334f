package clock

import "time"

// Simulate resets the process's guard to a machine whose clocks read returns, as for NewGuard, until restore is called. It is for
// simulations, which own the process: the guard must not be used during either call.
func Simulate(read func() (wall time.Time, elapsed time.Duration)) (restore func()) {
	before := guard.read
	begin := func(read func() reading) {
		guard.mu.Lock()
		defer guard.mu.Unlock()
		guard.read, guard.witnesses = read, nil
		guard.belief.Store(nil)
	}
	begin(NewGuard(read).read)
	return func() { begin(before) }
}
