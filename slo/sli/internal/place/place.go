package place

import "errors"

// Place stores the records of one connector. It is not safe for concurrent use.
type Place interface {
	// Recover passes the stored records to take, in their order. It moves files aside that cannot be read or whose records take
	// refuses, and says so in Found. After an error the Place cannot be used.
	Recover(take func(record []byte) error) (Found, error)
	// Abandon marks the recovered files, as Generation.Abandon does.
	Abandon() error
	// Begin makes a generation whose log has room bytes.
	Begin(room int) (Generation, error)
	// Close releases the place for other processes.
	Close() error
}

// Found is the result of Recover.
type Found struct {
	// Records is how many were passed to take. If Lost is not empty, the caller drops them.
	Records int
	// Lost is a sentence that says which counts could not be recovered, and where their files are now; empty if none were lost.
	Lost string
}

// Generation is a log and the snapshot before it. Append may be called concurrently, the other methods by one goroutine.
type Generation interface {
	// Append copies a record, and reports whether it will survive the process. After the first that it refused it refuses all.
	Append(record []byte) bool
	// Mark notes that the log is complete up to here, and reports whether it did: a record before the mark that Recover misses is
	// damage. It does not while a record is still being appended, or when one was refused: call it again, or Commit the next
	// generation.
	Mark() bool
	// Fill returns how much of the room is used, from 0 to 1.
	Fill() float64
	// Check returns an error if a start could not read the generation. Without all it is cheap enough to call all the time;
	// with all it also reads back the log before the mark, and the snapshot.
	Check(all bool) error
	// Commit stores a snapshot: the records that snapshot passes to write. It supersedes all generations before. It returns the
	// size of the snapshot in bytes.
	Commit(snapshot func(write func(record []byte) error) error) (int64, error)
	// Sync fsyncs the snapshot, so that it survives a power cut too, and deletes superseded files.
	Sync() error
	// Abandon marks the generation as lacking later counts: it will not be read.
	Abandon() error
	// Close ends the generation in use. Its records stay, fsynced, for the next Recover.
	Close() error
	// Release frees a generation that is not in use any more.
	Release()
}

// ErrInUse means that another process holds the place.
var ErrInUse = errors.New("in use by another process")
