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

// Journal records one shard's decisions and deliveries in files, append-only. The shard's mutex guards it. A nil Journal
// records nothing.
type Journal struct {
	pool    *Pool
	disk    *files.Disk
	shard   uint32
	names   Names
	encoded []byte        // names, as stored in files
	files   []journalFile // finished, oldest first
	current mapped.Memory
	used    int // of current
	now     journalFile
	ahead   *files.Ahead // the next file; nil until it is requested
	// waiting are events for which there is no file yet, in memory, the oldest first. The pool counts their size.
	waiting []Event
	at      int64 // the time of the last CatchUp, Unix milliseconds
	closed  bool
	// Skipped counts events that got into no file: a crash would repeat these decisions and deliveries.
	Skipped int64
}

// maxWaiting is how many events wait for a file at most.
const maxWaiting = 4096

// waitingSize returns how many bytes of memory the waiting events take.
func waitingSize(j *Journal) int64 { return int64(cap(j.waiting)) * int64(unsafe.Sizeof(Event{})) }

// journalFile is one file of a journal.
type journalFile struct {
	file     files.File
	sequence uint64
	highest  uint64 // the pool's sequence when the last event was put: its events are about segments up to it
	events   int
}

// NewJournal returns the journal of a shard, nil if the pool has no disk. Events refer to names by index.
func NewJournal(p *Pool, shard int, names Names) *Journal {
	disk := p.disk.Load()
	if disk == nil {
		return nil
	}
	p.journals.Add(1)
	return &Journal{pool: p, disk: disk, shard: uint32(shard), names: names, encoded: names.Encode()}
}

// Rename sets the names of policies. If they differ from the former ones, later events go to another file.
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

// Put appends an event. When Put returns the event is as durable as an appended span, with one exception: where files are
// made ahead (Pool.Defer) and the next is not made yet, the event waits in memory. If the process ends meanwhile, the
// decision or delivery is repeated. now is in Unix milliseconds.
func (j *Journal) Put(e *Event, now int64) {
	if j == nil {
		return
	}
	j.CatchUp(now)
	if len(j.waiting) > 0 || !j.write(e, now) {
		j.wait(e)
	}
}

// CatchUp writes the waiting events for which there is a file by now, and requests the next file if it is due. now is in
// Unix milliseconds.
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

// wait queues an event until there is a file. It skips the event if files are not made ahead, or if too many wait.
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

// write appends an event to the current file, or begins another, and reports whether the event is in a file: not if there
// is none, or the disk failed.
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

// store writes an event behind the last one, and returns an error if the disk fails.
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

// sizeOf returns the size of a journal's next file in bytes.
func sizeOf(j *Journal) int {
	return max(j.pool.segmentSize, format.EventsAt(len(j.encoded))+64*format.EventSize)
}

// prepare requests the next file once the current one is half full, if files are made ahead.
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

// cancel gives up the next file, whether it is made already or not.
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

// take returns the next file, which the pool counts as memory in use.
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
		j.cancel() // the next event requests another
	default:
		j.ahead = nil
	}
	return m, err
}

// begin makes a new file the current one. If the disk fails under it, begin deletes the file.
func (j *Journal) begin(m mapped.Memory, now int64) error {
	f := files.File{Number: m.File, Kind: files.Journal, Size: int64(len(m.Buf))}
	h := j.pool.header(j.shard, now, len(m.Buf))
	if err := j.storeHeader(m.Buf, &h); err != nil {
		files.DropJournal(j.disk, m) // a file that stays is no journal: its magic is written last
		j.pool.Grow(-f.Size)
		return fmt.Errorf("begin a journal: %w", err)
	}
	j.current, j.used = m, format.EventsAt(len(j.encoded))
	j.now = journalFile{file: f, sequence: h.Sequence}
	j.disk.Begin(f)
	return nil
}

// storeHeader writes the header and the names, which precede the events.
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

// Full reports whether the next event needs another file and none waits for one. Call Trim then.
func (j *Journal) Full() bool {
	return j != nil && len(j.waiting) == 0 && (j.current.Buf == nil || j.used+format.EventSize > len(j.current.Buf))
}

// Trim deletes the oldest files, as long as their events are about segments that are gone from the log and at least keep
// events stay. Before it deletes a file it calls again with the file's highest sequence: again puts the events once more
// whose traces are decided and not delivered.
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
			return // the events that were put again are in no file yet
		}
		events -= f.events
		j.files = j.files[1:]
		j.disk.Supersede(f.file) // deleted after the segments it is about, and once the events put again are flushed
	}
}

// Adopt adds a file that was found and read to the journal, the oldest first. The file's events are about segments with
// sequences up to highest.
func (j *Journal) Adopt(f *JournalFile, highest uint64) {
	files.Found(j.disk, f.File)
	j.files = append(j.files, journalFile{file: f.File, highest: highest, events: f.Events()})
}

// WriteAgain is WriteAgain of Log for the current file.
func (j *Journal) WriteAgain() {
	if j != nil && j.current.Buf != nil {
		mapped.Dirty(j.current.Buf[:j.used])
	}
}

// Waiting returns how many events wait for a file.
func (j *Journal) Waiting() int {
	if j == nil {
		return 0
	}
	return len(j.waiting)
}

// Close ends the journal. Its files stay. If events wait, it waits a while for their file; events without one are skipped.
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
