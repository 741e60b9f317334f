//go:build race

package tracetest

// raceEnabled reports whether the race detector is on, with which memory reads take time that grows
// differently.
const raceEnabled = true
