//go:build !failpoint || !unix

package failpoint

// Enabled reports whether points can be armed. Code behind it is compiled away otherwise.
const Enabled = false

// Before is called before a step.
func Before(Point) {}

// After is called after a step.
func After(Point) {}
