package place

import "errors"

// Place keeps the records of one connector. Use is by one goroutine.
type Place interface {
	// Recover passes the stored records to take, in their order. Files that cannot be read, or whose records take refuses, are moved
	// aside, and Found says so. After an error of Recover the Place cannot be used.
	Recover(take func(record []byte) error) (Found, error)
	// Desert marks what Recover handed on, as Generation.Desert does.
	Desert() error
	// Begin makes a generation with room for a log of so many bytes.
	Begin(room int) (Generation, error)
	// Close lets others have the place.
	Close() error
}

// Found is what Recover found.
type Found struct {
	// Records is how many were handed on. If Lost is not empty the caller forgets them.
	Records int
	// Lost says in a sentence which counts could not be recovered, and where their files are now. It is empty where all were.
	Lost string
}

// Generation is a log and the snapshot behind which it begins. Append is for many goroutines at a time, the others for one.
type Generation interface {
	// Append copies a record, and reports whether it will survive the process. Once it did not take one, it takes no more.
	Append(record []byte) bool
	// Mark notes that the log is complete up to here, and reports whether it did: a record before the mark that Recover misses is
	// damage. It does not while a record is still being appended, or when one was refused: call it again, or Commit the next
	// generation.
	Mark() bool
	// Fill is how much of the room is taken, from 0 to 1.
	Fill() float64
	// Check returns an error where what the generation stored would not be found again, as far as that is seen at a glance: it is
	// for every moment. With all it reads back what is before the mark, and the snapshot.
	Check(all bool) error
	// Commit stores a snapshot: the records that snapshot hands to write. It makes what was before the generation needless.
	// It returns how many bytes the snapshot has.
	Commit(snapshot func(write func(record []byte) error) error) (int64, error)
	// Settle makes the snapshot survive a power cut as well, and deletes what is needless.
	Settle() error
	// Desert marks the generation as one behind which counts went on, unseen by it: it will not be read.
	Desert() error
	// Close ends the generation in use. What it has stays, on the disk too, for the next Recover.
	Close() error
	// Release ends one that is not in use any more.
	Release()
}

// ErrInUse is a place that another process has.
var ErrInUse = errors.New("in use by another process")
