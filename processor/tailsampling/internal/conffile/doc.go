// Package conffile compares configuration files: it finds keys that changed since the start, and waits that a section inherits
// from another file.
//
// Its types are Location (a file and its own contents) and Wait (a wait that the file with the policies does not set). There are
// no locks.
package conffile
