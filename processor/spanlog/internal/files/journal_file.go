package files

import (
	"fmt"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// JournalFile is a journal's file that was found.
type JournalFile struct {
	// Shard is the shard of its header.
	Shard int

	File
	dir    *Directory
	header format.Header
	names  int // size of the names in bytes

	highest uint64 // sequence of a position in its events
	events  int
}

// Shards returns the number of shards by the file's header.
func (f *JournalFile) Shards() int { return int(f.header.Shards) }

// Seed returns the seed of the file's header.
func (f *JournalFile) Seed() format.Seed { return f.header.Seed }

// Read yields the events, the oldest first, with the names that they refer to. It skips damaged ones: their decisions and
// deliveries are repeated.
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

// isKnown reports whether the destination of an event is none, every one, or one of so many.
func isKnown(e *format.Event, destinations int) bool {
	return e.Kind == format.Decided || e.Destination == format.EveryDestination || int(e.Destination) < destinations
}

// Highest returns the highest sequence in the file: its own, or that of a position in its events. Call it after Read.
func (f *JournalFile) Highest() uint64 { return max(f.highest, f.header.Sequence) }

// Events returns the number of events. Call it after Read.
func (f *JournalFile) Events() int { return f.events }

// Delete deletes the file.
func (f *JournalFile) Delete() error { return f.dir.Remove(f.File) }
