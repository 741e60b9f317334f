// Package state is a bbolt file that a component keeps between restarts.
//
// A DB is the open file, of bbolt's, whose buckets exist and whose format version is the one that this program reads. Where the file is
// damaged while it is used its transactions return ErrCorrupt, and the process goes on; StartAnew moves it aside. Put and
// Get keep single records as JSON. Open does the rest: it makes the directory, waits a moment for the file's lock, moves a file
// of another version aside, and turns what can go wrong into errors that say what to do.
//
// Rules: one process, one open DB per file. The file holds what users sent, so only its owner may read it (0600).
package state
