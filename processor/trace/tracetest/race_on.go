//go:build race

package tracetest

// raceEnabled says that the race detector is on, under which reading memory grows otherwise than without.
const raceEnabled = true
