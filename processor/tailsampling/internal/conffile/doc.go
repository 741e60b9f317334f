// Package conffile compares what configuration files say: which keys changed since the start, and which waits a section has from
// another file.
//
// Its types are Location (a file, and what it says by itself) and Wait (a wait that the file with the policies does not set).
// Nothing here has a lock.
package conffile
