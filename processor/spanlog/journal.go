package spanlog

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

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
	ahead   *files.Ahead // the file after current, nil until it is asked for
	// waiting are events for which there is no file yet: in memory, the oldest first. The pool counts them.
	waiting []Event
	at      int64 // the time of the last call, Unix milliseconds
	closed  bool
	// Skipped is how many events could not be written because the disk had no room: after a crash they would be decided
	// anew.
	Skipped int64
}

// maxWaiting is how many events wait for a file at most, where the disk is slow: as many as a busy shard has in a good part of a second.
const maxWaiting = 4096

// waitingSize is how many bytes of memory those take that wait.
func waitingSize(j *Journal) int64 { return int64(cap(j.waiting)) * int64(unsafe.Sizeof(Event{})) }

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
	p.journals.Add(1)
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
		j.prepare()
	}
}

// Put appends an event. It is durable as soon as Put returns, in the sense in which spans are. Only where files are made ahead (Pool.Defer),
// and the next is not there yet, the event waits in memory: should the process end meanwhile, what it is about is decided, or delivered, again.
func (j *Journal) Put(e *Event, now int64) {
	if j == nil {
		return
	}
	j.CatchUp(now)
	if len(j.waiting) > 0 || !j.write(e, now) {
		j.wait(e)
	}
}

// CatchUp writes the events that wait, as far as there is a file for them, and sees to it that there will be one.
func (j *Journal) CatchUp(now int64) {
	if j == nil || j.closed {
		return
	}
	j.at = now
	if len(j.waiting) > 0 {
		j.writeWaiting()
	}
	j.prepare()
}

func (j *Journal) writeWaiting() {
	done := 0
	for done < len(j.waiting) && j.write(&j.waiting[done], j.at) {
		done++
	}
	if j.waiting = slices.Delete(j.waiting, 0, done); len(j.waiting) == 0 {
		j.forgetWaiting()
	}
}

// wait has an event wait for a file. It is given up where none is made ahead, and where too many wait.
func (j *Journal) wait(e *Event) {
	if !files.Deferred(j.disk) || len(j.waiting) == maxWaiting {
		j.Skipped++
		return
	}
	before := waitingSize(j)
	j.waiting = append(j.waiting, *e)
	if grown := waitingSize(j) - before; grown > 0 {
		j.pool.Grow(grown)
	}
}

func (j *Journal) forgetWaiting() {
	j.pool.Grow(-waitingSize(j))
	j.waiting = nil
}

// write puts an event behind the last, and reports false where it is in no file: there is none, or the disk fails.
func (j *Journal) write(e *Event, now int64) bool {
	if j.current.Buf == nil || j.used+format.EventSize > len(j.current.Buf) {
		if err := j.rotate(now); err != nil {
			return false
		}
	}
	if err := j.store(e); err != nil {
		j.finish() // the next event begins another file
		return false
	}
	j.used += format.EventSize
	j.now.events++
	j.now.highest = j.pool.sequence.Load()
	return true
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

// sizeOf is how many bytes the next file of a journal has.
func sizeOf(j *Journal) int {
	return max(j.pool.segmentSize, format.EventsAt(len(j.encoded))+64*format.EventSize)
}

// prepare asks for the next file where files are made ahead and that which is written to is half full.
func (j *Journal) prepare() {
	if !files.Deferred(j.disk) || j.current.Buf != nil && j.used < len(j.current.Buf)/2 {
		return
	}
	if j.ahead != nil && j.ahead.Size() < sizeOf(j) { // names were added
		j.cancel()
	}
	if j.ahead == nil {
		j.pool.Grow(int64(sizeOf(j)))
		j.ahead = files.MakeAhead(j.disk, sizeOf(j))
	}
}

// cancel gives up the file that was made ahead, or is going to be.
func (j *Journal) cancel() {
	if j.ahead != nil {
		j.pool.Grow(-int64(j.ahead.Size()))
		j.ahead.Cancel(j.disk)
		j.ahead = nil
	}
}

// rotate begins another file.
func (j *Journal) rotate(now int64) error {
	m, err := j.take()
	if err != nil {
		return fmt.Errorf("begin a journal: %w", err)
	}
	j.finish()
	return j.begin(m, now)
}

// take returns a file for events to come, which counts as memory.
func (j *Journal) take() (mapped.Memory, error) {
	if !files.Deferred(j.disk) {
		m, err := j.disk.Create(files.Journal, sizeOf(j))
		j.pool.Grow(int64(len(m.Buf)))
		return m, err
	}
	j.prepare()
	m, err := j.ahead.Take(j.disk)
	switch {
	case errors.Is(err, files.ErrNotMade):
	case err != nil:
		j.cancel() // the next event asks for another
	default:
		j.ahead = nil
	}
	return m, err
}

// begin makes a new file the current one. Where the disk fails under it the file is deleted.
func (j *Journal) begin(m mapped.Memory, now int64) error {
	f := files.File{Number: m.File, Kind: files.Journal, Size: int64(len(m.Buf))}
	h := j.pool.header(j.shard, now, len(m.Buf))
	if err := j.storeHeader(m.Buf, &h); err != nil {
		files.DropJournal(j.disk, m) // should it stay, it is no journal: its magic is written last
		j.pool.Grow(-f.Size)
		return fmt.Errorf("begin a journal: %w", err)
	}
	j.current, j.used = m, format.EventsAt(len(j.encoded))
	j.now = journalFile{file: f, sequence: h.Sequence}
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

// Full reports whether the next event needs another file, which is when to call Trim: not while events wait for one.
func (j *Journal) Full() bool {
	return j != nil && len(j.waiting) == 0 && (j.current.Buf == nil || j.used+format.EventSize > len(j.current.Buf))
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
		if len(j.waiting) > 0 {
			return // what was put again is in no file yet
		}
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

// Waiting is how many events wait for a file.
func (j *Journal) Waiting() int {
	if j == nil {
		return 0
	}
	return len(j.waiting)
}

// Close ends the journal. Its files stay. For events that wait it waits until there is a file, but not for long.
func (j *Journal) Close() {
	if j == nil {
		return
	}
	if len(j.waiting) > 0 && j.ahead != nil && j.ahead.Await(j.disk) {
		j.writeWaiting()
	}
	j.finish()
	j.cancel()
	j.Skipped += int64(len(j.waiting))
	j.forgetWaiting()
	j.closed = true
}
