//go:build !linux

package gate

// apart runs f. Only Linux can lower the priority of a single thread.
func apart(f func()) { f() }
