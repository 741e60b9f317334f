//go:build !linux

package gate

// apart runs f. Only Linux lets one thread of a process stand back.
func apart(f func()) { f() }
