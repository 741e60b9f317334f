// Package direct reads and writes sockets by system calls that the runtime is not told of.
//
// The first system call after each moment in which the whole process was idle wakes the runtime's monitor thread, which then looks
// around every 20 µs until the process is idle again. A gateway is idle some thousand times a second, and the monitor took a twelfth
// of its CPU time (docs/performance.md). The monitor is there for calls that block, whose processor it gives to others, and for goroutines
// that run long. Calls on sockets of the net package do not block, and what a request of spans does is short. Queries and files make system
// calls of the usual kind, which wake the monitor as before; without any, it looks around when the next timer is due.
//
// New returns a connection of TCP that is read and written so. Read and Write are for who waits for the socket itself. On systems
// other than Linux there is New alone, which returns its argument. The race detector sees the calls.
package direct
