// Package state manages a bbolt file that a component keeps between restarts.
//
// A DB is the open file: its buckets exist, and its format version is the one that this program reads. If the file is damaged in use,
// its transactions return ErrCorrupt, and the process goes on; Replace moves the file aside. Put and Get store single records as
// JSON. Open creates the directory, waits a moment for the file's lock, moves a file of another version aside, and turns failures into
// errors that say what to do.
//
// Rules: one process, one open DB per file. The file holds users' data, so only its owner may read it (0600).
package state
