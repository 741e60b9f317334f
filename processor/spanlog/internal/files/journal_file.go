package files

import (
	"fmt"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// JournalFile is a journal file that was found.
type JournalFile struct {
	// Shard is what it was written for.
	Shard int

	File
	dir    *Directory
	header format.Header
	names  int // bytes of names

	highest uint64 // sequence of a position in it
	events  int
}

// Shards and Seed are what the file was written with.
func (f *JournalFile) Shards() int { return int(f.header.Shards) }

// Seed is what the shards of traces were computed with.
func (f *JournalFile) Seed() format.Seed { return f.header.Seed }

// Read yields the events, the oldest first, with the names that they refer to. Damaged ones are passed over: what they
// were about is decided anew, or delivered again.
func (f *JournalFile) Read(yield func(*format.Event, format.Names)) ([]format.Damage, error) {
	path := f.dir.File(f.File)
	b, err := f.dir.sys.ReadAll(path)
	if err != nil {
		return nil, explain("read the journal", path, err)
	}
	names, ok := format.ParseNames(b, f.names, f.header.Sequence)
	if !ok {
		return []format.Damage{{Path: path, Reason: "the names of policies and destinations are damaged: what was decided is decided anew"}}, nil
	}
	var e format.Event
	var damage []format.Damage
	bad, first := 0, 0
	for at := format.EventsAt(f.names); at+format.EventSize <= len(b); at += format.EventSize {
		if !e.Parse(b[at:at+format.EventSize], f.header.Sequence) {
			if bad == 0 {
				first = at
			}
			bad++
			continue
		}
		if bad > 0 {
			damage = append(damage, format.Damage{Path: path, Offset: first,
				Reason: fmt.Sprintf("%d records of decisions are damaged: these are decided, or delivered, again", bad)})
			bad = 0
		}
		if e.Policy >= len(names.Policies) || !isKnown(&e, len(names.Destinations)) {
			continue
		}
		f.events++
		f.highest = max(f.highest, e.To.Sequence())
		yield(&e, names)
	}
	return damage, nil
}

// isKnown reports whether the destination of an event is one of so many.
func isKnown(e *format.Event, destinations int) bool {
	return e.Kind == format.Decided || e.Destination == format.EveryDestination || int(e.Destination) < destinations
}

// Highest is the highest sequence of a position in the file, once it was read.
func (f *JournalFile) Highest() uint64 { return max(f.highest, f.header.Sequence) }

// Events is how many events the file has, once it was read.
func (f *JournalFile) Events() int { return f.events }

// Delete deletes the file.
func (f *JournalFile) Delete() error { return f.dir.Remove(f.File) }
