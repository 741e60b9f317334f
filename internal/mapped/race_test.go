//go:build race

package mapped

// raced says that atomic stores are made on a stack of the race detector, which no fault survives.
const raced = true
