// Package mapped provides memory outside of the Go heap: anonymous, or mapped from a file, so that what is stored in it
// survives the process.
//
// Its one type is Memory. A file's blocks are allocated before it is mapped, so that a full disk is an error of Create
// and not a fault in a store. A disk that fails later still causes a fault: Guard turns it into ErrDisk.
//
// Memory has no lock: its owner decides who may use it. Release invalidates every slice of it.
package mapped
