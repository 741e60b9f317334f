package spanlog

import (
	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/cold"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// FormatVersion is the version of the files that this package writes, and the only one it reads.
const FormatVersion = format.Version

// What the files hold: see internal/format.
type (
	// Seed is what the shard of a trace is computed with.
	Seed = format.Seed
	// Position is a place in the order in which a shard's records were appended.
	Position = format.Position
	// Found is a span that was read back from a segment.
	Found = format.Found
	// Damage is what was found wrong with a file.
	Damage = format.Damage
	// Event is what a journal remembers of a part of a trace.
	Event = format.Event
	// EventKind is what happened to the part.
	EventKind = format.EventKind
	// Names are what a journal's events refer to by index.
	Names = format.Names
	// Destination is one that kept traces go to.
	Destination = format.Destination
)

// What happens to a part of a trace. Of a part that is not wanted there is only a decision.
const (
	Decided   = format.Decided
	Attempted = format.Attempted // a destination is about to get it, so that after a crash it may get it again
	Delivered = format.Delivered // a destination has it, or does not get it any more
)

// EveryDestination in an event stands for all destinations of its journal.
const EveryDestination = format.EveryDestination

// Where the files are, and what was found there: see internal/files.
type (
	// Directory is where a log's files are.
	Directory = files.Directory
	// Inventory is what a directory holds when it is opened.
	Inventory = files.Inventory
	// System is where files are: the machine's, or what stands for it in a simulation.
	System = files.System
	// ReadFile is a file of a System that is open to be read.
	ReadFile = files.ReadFile
	// SegmentFile is a segment that was found.
	SegmentFile = files.SegmentFile
	// Contents is the bytes of a segment that was read.
	Contents = files.Contents
	// JournalFile is a journal file that was found.
	JournalFile = files.JournalFile
)

// OS is the machine's files.
var OS = files.OS

// OpenDirectory makes the directory if it is missing, and takes it for this process.
func OpenDirectory(path string) (*Directory, error) { return files.OpenDirectory(path) }

// OpenDirectoryOn is OpenDirectory on another system than the machine's.
func OpenDirectoryOn(sys System, path string) (*Directory, error) {
	return files.OpenDirectoryOn(sys, path)
}

// Why something is refused, besides ErrMemoryBudget.
var (
	// ErrDiskBudget is a budget of disk that has no room for another file.
	ErrDiskBudget = files.ErrBudget
	// ErrTooManyFiles is a segment that was not read because the process has too many files open.
	ErrTooManyFiles = cold.ErrTooManyFiles
	// ErrDisk is a disk that failed under memory that is a file's.
	ErrDisk = mapped.ErrDisk
)

// Guard lets its caller survive a disk that fails under memory that is a file's, and makes it ErrDisk:
//
//	defer Guard(&err)()
//
// Other panics go on.
func Guard(err *error) func() { return mapped.Guard(err) }
