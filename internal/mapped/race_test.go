//go:build race

package mapped

// raced means that the race detector runs atomic stores on its own stack, which no fault survives.
const raced = true
