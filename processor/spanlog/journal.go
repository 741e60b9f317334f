package spanlog

import (
	"fmt"
	"slices"

	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Journal is the append-only record of one shard's decisions, in files. The shard's mutex guards it. A nil Journal
// forgets everything.
type Journal struct {
	pool    *Pool
	disk    *files.Disk
	shard   uint32
	names   Names
	encoded []byte        // names, as the files have them
	files   []journalFile // finished, oldest first
	current mapped.Memory
	used    int // of current
	now     journalFile
	// Skipped is how many events could not be written because the disk had no room: after a crash they would be decided
	// anew.
	Skipped int64
}

// journalFile is what is remembered of a file.
type journalFile struct {
	file     files.File
	sequence uint64
	highest  uint64 // no segment that was begun when its last event was put has a higher sequence
	events   int
}

// NewJournal returns the journal of a shard. Events refer to names by index.
func NewJournal(p *Pool, shard int, names Names) *Journal {
	disk := p.disk.Load()
	if disk == nil {
		return nil
	}
	return &Journal{pool: p, disk: disk, shard: uint32(shard), names: names, encoded: names.Encode()}
}

// Rename gives the policies these names. If they are other ones than before, events that follow go to another file.
func (j *Journal) Rename(policies []string) {
	if j == nil {
		return
	}
	if !slices.Equal(policies, j.names.Policies) {
		j.names.Policies = policies
		j.encoded = j.names.Encode()
		j.finish()
	}
}

// Put appends an event. It is durable as soon as Put returns, in the sense in which spans are.
func (j *Journal) Put(e *Event, now int64) {
	if j == nil {
		return
	}
	if j.current.Buf == nil || j.used+format.EventSize > len(j.current.Buf) {
		if err := j.rotate(now); err != nil {
			j.Skipped++
			return
		}
	}
	if err := j.store(e); err != nil {
		j.Skipped++
		j.finish() // the next event begins another file
		return
	}
	j.used += format.EventSize
	j.now.events++
	j.now.highest = j.pool.sequence.Load()
}

// store writes an event behind the last.
func (j *Journal) store(e *Event) (err error) {
	defer Guard(&err)()
	beforeEvent(e.Kind)
	e.Put(j.current.Buf[j.used:j.used+format.EventSize], j.now.sequence)
	afterEvent(e.Kind)
	return nil
}

func beforeEvent(k EventKind) {
	if !failpoint.Enabled {
		return
	}
	switch k {
	case Decided:
		failpoint.Before(failpoint.JournalDecided)
	case Attempted:
		failpoint.Before(failpoint.JournalAttempted)
	case Delivered:
		failpoint.Before(failpoint.JournalDelivered)
	}
}

func afterEvent(k EventKind) {
	if !failpoint.Enabled {
		return
	}
	switch k {
	case Decided:
		failpoint.After(failpoint.JournalDecided)
	case Attempted:
		failpoint.After(failpoint.JournalAttempted)
	case Delivered:
		failpoint.After(failpoint.JournalDelivered)
	}
}

// rotate begins another file.
func (j *Journal) rotate(now int64) error {
	size := max(j.pool.segmentSize, format.EventsAt(len(j.encoded))+64*format.EventSize)
	m, err := j.disk.Create(files.Journal, size)
	if err != nil {
		return fmt.Errorf("begin a journal: %w", err)
	}
	j.finish()
	return j.begin(m, now)
}

// begin makes a new file the current one. Where the disk fails under it the file is deleted.
func (j *Journal) begin(m mapped.Memory, now int64) error {
	f := files.File{Number: m.File, Kind: files.Journal, Size: int64(len(m.Buf))}
	h := j.pool.header(j.shard, now, len(m.Buf))
	if err := j.storeHeader(m.Buf, &h); err != nil {
		m.Release()
		_ = j.disk.Remove(f) // should it stay, it is no journal: its magic is written last
		return fmt.Errorf("begin a journal: %w", err)
	}
	j.current, j.used = m, format.EventsAt(len(j.encoded))
	j.now = journalFile{file: f, sequence: h.Sequence}
	j.pool.Grow(f.Size)
	j.disk.Begin(f)
	return nil
}

// storeHeader writes what comes before the events.
func (j *Journal) storeHeader(b []byte, h *format.Header) (err error) {
	defer Guard(&err)()
	failpoint.Before(failpoint.JournalBegin)
	h.Put(b)
	format.PutNames(b, j.encoded, h.Sequence)
	format.SetMagic(b, format.MagicJournal)
	failpoint.After(failpoint.JournalBegin)
	return nil
}

// finish ends the current file.
func (j *Journal) finish() {
	if j.current.Buf == nil {
		return
	}
	j.disk.End(j.now.file)
	j.current.Release()
	j.pool.Grow(-int64(len(j.current.Buf)))
	j.files = append(j.files, j.now)
	j.current, j.now = mapped.Memory{}, journalFile{}
}

// Full reports whether the next event needs another file, which is when to call Trim.
func (j *Journal) Full() bool {
	return j != nil && (j.current.Buf == nil || j.used+format.EventSize > len(j.current.Buf))
}

// Trim deletes the oldest files whose events are about spans that are in no segment of the log any more, as long as at
// least keep events stay. Events of what is decided and not delivered must be put again if they are in what is deleted:
// Trim calls again with the highest sequence of a file before it deletes it.
func (j *Journal) Trim(l *Log, keep int, again func(highest uint64)) {
	if j == nil || len(j.files) == 0 {
		return
	}
	lowest := l.lowest()
	events := j.now.events
	for i := range j.files {
		events += j.files[i].events
	}
	for len(j.files) > 0 {
		f := j.files[0]
		if f.highest >= lowest || events-f.events < keep {
			return
		}
		again(f.highest)
		events -= f.events
		j.files = j.files[1:]
		j.disk.Supersede(f.file) // behind the segments that it is about, and until what was put again is flushed
	}
}

// Adopt makes a file that was found, and read, a part of the journal. The oldest comes first. No segment with a higher
// sequence than this was begun before its last event.
func (j *Journal) Adopt(f *JournalFile, highest uint64) {
	files.Found(j.disk, f.File)
	j.files = append(j.files, journalFile{file: f.File, highest: highest, events: f.Events()})
}

// WriteAgain is as that of Log, for the file that is being written to.
func (j *Journal) WriteAgain() {
	if j != nil && j.current.Buf != nil {
		mapped.Dirty(j.current.Buf[:j.used])
	}
}

// Close ends the journal. Its files stay.
func (j *Journal) Close() {
	if j != nil {
		j.finish()
	}
}
