//go:build !failpoint || !unix

package failpoint

// Enabled says whether points can be armed. Where it is false what it guards is not compiled.
const Enabled = false

// Before is called before a step.
func Before(Point) {}

// After is called when the step was done.
func After(Point) {}
