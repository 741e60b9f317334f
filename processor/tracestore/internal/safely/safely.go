// Package safely contains defects: Run turns a panic into an error.
package safely

import "fmt"

// Run runs f and returns its error, or an error for a panic of f: a defect costs the trace that trips it, not the
// gateway.
func Run(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}
