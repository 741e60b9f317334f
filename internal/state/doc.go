// Package state is a bbolt file that a component keeps between restarts.
//
// A DB is the open file, of bbolt's, whose buckets exist and whose schema is the one that this program knows. Where the file is damaged
// while it is used its transactions return ErrCorrupt, and the process goes on; StartAnew moves it aside. Put and
// Get keep single records as JSON. Open does the rest: it makes the directory, waits a moment for the file's lock, runs
// the migrations that the file lacks, and turns what can go wrong into errors that say what to do.
//
// Rules: one process, one open DB per file. Schemas only grow: a released migration is never edited or removed. The
// file holds what users sent, so only its owner may read it (0600).
package state
