package files

import "fmt"

// Kind is what a file is, and how its name ends.
type Kind string

// The kinds of files that a directory holds.
const (
	Segment Kind = ".seg"
	Packed  Kind = ".pak"
	Journal Kind = ".jnl"
)

// Names of files are numbers, in hexadecimal, and a Kind or one of these.
const (
	temporarySuffix = ".tmp"
	damagedSuffix   = ".damaged"
	lockName        = "LOCK"
)

// File is a file in a directory. The zero File is none.
type File struct {
	Number uint64
	Kind   Kind
	Size   int64 // bytes
}

func (f File) name() string { return fmt.Sprintf("%08x%s", f.Number, f.Kind) }
