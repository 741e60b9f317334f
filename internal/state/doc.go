// Package state manages a bbolt file that a component keeps between restarts.
//
// A DB is the open file: its buckets exist, and its schema is the one that this program knows. If the file is damaged in use, its
// transactions return ErrCorrupt, and the process goes on; StartAnew moves the file aside. Put and Get store single records as JSON.
// Open creates the directory, waits a moment for the file's lock, runs missing migrations, and turns failures into errors that say what
// to do.
//
// Rules: one process, one open DB per file. Schemas only grow: a released migration is never edited or removed. The file holds users'
// data, so only its owner may read it (0600).
package state
