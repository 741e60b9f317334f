package spanlog

import (
	"encoding/binary"
	"fmt"
	"os"
)

// JournalFile is a journal file that was found.
type JournalFile struct {
	// Shard is what it was written for.
	Shard int

	path   string
	number uint64
	size   int64
	header fileHeader
	names  uint32 // bytes of names

	highest uint64 // sequence of a position in it
	events  int
}

// Shards and Seed are what the file was written with.
func (f *JournalFile) Shards() int { return int(f.header.shards) }

// Seed is what the shards of traces were computed with.
func (f *JournalFile) Seed() Seed { return f.header.seed }

// Read yields the events, the oldest first, with the names that they refer to. Damaged ones are passed over: what they
// were about is decided anew, or delivered again.
func (f *JournalFile) Read(yield func(*Event, []string)) ([]Damage, error) {
	b, err := os.ReadFile(f.path)
	if err != nil {
		return nil, explain("read the journal", f.path, err)
	}
	names, at, ok := f.readNames(b)
	if !ok {
		return []Damage{{Path: f.path, Reason: "the names of policies are damaged: what was decided is decided anew"}}, nil
	}
	var e Event
	var damage []Damage
	bad, first := 0, 0
	for ; at+eventSize <= len(b); at += eventSize {
		if !e.parse(b[at:at+eventSize], f.header.sequence) {
			if bad == 0 {
				first = at
			}
			bad++
			continue
		}
		if bad > 0 {
			damage = append(damage, Damage{Path: f.path, Offset: first,
				Reason: fmt.Sprintf("%d records of decisions are damaged: these are decided, or delivered, again", bad)})
			bad = 0
		}
		if e.Policy >= len(names) {
			continue
		}
		f.events++
		f.highest = max(f.highest, e.To.Sequence())
		yield(&e, names)
	}
	return damage, nil
}

// readNames returns the names and where the events begin.
func (f *JournalFile) readNames(b []byte) (names []string, at int, ok bool) {
	from, to := fileHeaderSize+4, fileHeaderSize+4+int(f.names)
	if to > len(b) || binary.LittleEndian.Uint32(b[fileHeaderSize:]) != checksumFrom(f.header.sequence, b[from:to]) {
		return nil, 0, false
	}
	for rest := b[from:to]; len(rest) > 0; {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return nil, 0, false
		}
		names = append(names, string(rest[size:size+int(n)]))
		rest = rest[size+int(n):]
	}
	return names, fileHeaderSize + (4+int(f.names)+eventSize-1)/eventSize*eventSize, true
}

// Highest is the highest sequence of a position in the file, once it was read.
func (f *JournalFile) Highest() uint64 { return max(f.highest, f.header.sequence) }

// Adopt makes a file that was found, and read, a part of the journal. The oldest comes first. No segment with a higher
// sequence than this was begun before its last event.
func (j *Journal) Adopt(f *JournalFile, highest uint64) {
	j.files = append(j.files, journalFile{number: f.number, size: f.size, highest: highest, events: f.events})
}

// Delete deletes the file.
func (f *JournalFile) Delete(p *Pool) error { return p.dir.remove(f.number, journalSuffix, f.size) }
