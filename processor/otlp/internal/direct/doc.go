// Package direct reads and writes sockets by system calls that the runtime is not told of.
//
// The first system call after each moment in which the whole process was idle wakes the runtime's monitor thread, which then looks
// around every 20 µs until the process is idle again. A gateway is idle some thousand times a second, so that is a tenth of its CPU
// time. The monitor is there for calls that block: it gives their processor to somebody else. Calls on sockets of the net package
// do not block.
//
// A Conn is a connection of TCP that is read and written so. Read and Write are for who waits for the socket itself. On systems
// other than Linux there is only New, which returns its argument. The race detector sees the calls.
package direct
