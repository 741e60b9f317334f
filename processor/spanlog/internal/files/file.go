package files

import "fmt"

// Kind is the kind of a file, as the suffix of its name.
type Kind string

// The kinds of files that a directory holds.
const (
	Segment Kind = ".seg"
	Packed  Kind = ".pak"
	Journal Kind = ".jnl"
)

// The name of a file is its number in hexadecimal and a Kind, or the temporary suffix. A damaged file has a further suffix.
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
