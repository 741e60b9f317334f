// Package safely contains defects: Run makes an error of a panic.
package safely

import "fmt"

// Run runs f and returns its error, or one that says that f panicked: a defect costs what trips it, not the gateway.
func Run(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}
