package spanlog

import (
	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/cold"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// FormatVersion is the version of the files that this package writes, and the only one it reads.
const FormatVersion = format.Version

// The contents of files; see internal/format.
type (
	// Seed is the key of the hash that gives a trace its shard.
	Seed = format.Seed
	// Position is a place in the order in which a shard's records were appended.
	Position = format.Position
	// Found is a span that was read back from a segment.
	Found = format.Found
	// Damage describes a damaged file, or a damaged place in one.
	Damage = format.Damage
	// Event is a journal's record of a decision or delivery of a part of a trace.
	Event = format.Event
	// EventKind says whether the part was decided, attempted or delivered.
	EventKind = format.EventKind
	// Names are the policies and destinations that a journal's events refer to by index.
	Names = format.Names
	// Destination receives sampled traces.
	Destination = format.Destination
)

// Facts: a decision reads them in place of spans. Their contents are the caller's, who reads them in the same process.
type (
	// Fact is what it reads of a span in place of its body.
	Fact = [format.FactContent]byte
	// Identity is what it reads of a resource.
	Identity = [format.IdentitySize]byte
)

// FactSize is how many bytes a fact takes in a segment, and an origin's identity as many.
const FactSize = format.FactSize

// Identify returns the identity of a resource, given its header.
type Identify func(resource []byte) Identity

// Kinds of events. A part that was not sampled has only a decision.
const (
	Decided   = format.Decided
	Attempted = format.Attempted // its delivery to a destination begins; after a crash it may be delivered again
	Delivered = format.Delivered // a destination has it, or its delivery was given up
	Marked    = format.Marked    // its trace must be kept when it is decided
)

// EveryDestination in an event stands for all destinations of its journal.
const EveryDestination = format.EveryDestination

// The directory, and the files found in it; see internal/files.
type (
	// Directory holds a log's files.
	Directory = files.Directory
	// Inventory lists the files that a directory held when it was opened.
	Inventory = files.Inventory
	// System is a file system: the operating system's, or a simulated one.
	System = files.System
	// ReadFile is a file of a System, open for reading.
	ReadFile = files.ReadFile
	// SegmentFile is a segment's file that was found.
	SegmentFile = files.SegmentFile
	// Contents is the bytes of a segment that was read.
	Contents = files.Contents
	// JournalFile is a journal's file that was found.
	JournalFile = files.JournalFile
)

// OS is the operating system's file system.
var OS = files.OS

// OpenDirectory opens a directory, makes it if it is missing, and locks it for this process.
func OpenDirectory(path string) (*Directory, error) { return files.OpenDirectory(path) }

// OpenDirectoryOn is OpenDirectory on another file system.
func OpenDirectoryOn(sys System, path string) (*Directory, error) {
	return files.OpenDirectoryOn(sys, path)
}

// Errors besides ErrMemoryBudget.
var (
	// ErrDiskBudget means that the disk budget has no room for another file.
	ErrDiskBudget = files.ErrBudget
	// ErrTooManyFiles means that a segment was not read because the process has too many open files.
	ErrTooManyFiles = cold.ErrTooManyFiles
	// ErrDisk means that the disk failed under a mapped file.
	ErrDisk = mapped.ErrDisk
)

// Guard turns a fault of a mapped file, which the disk caused, into ErrDisk:
//
//	defer Guard(&err)()
//
// It does not recover from other panics.
func Guard(err *error) func() { return mapped.Guard(err) }
