// Package mapped is memory outside of the Go heap: anonymous, or mapped from a file so that what is stored in it survives
// the process.
//
// Its one type is Memory. A file gets its blocks before it is mapped, so that a full disk is an error of Create and not a
// fault under a store. A disk that fails later is a fault all the same: Guard turns it into ErrDisk.
//
// Memory has no lock: who stores in it says who else may. Release invalidates every slice of it.
package mapped
