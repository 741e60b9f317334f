package spanlog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"unsafe"
)

// Event is what a journal remembers of a part of a trace: that it was decided, that it is about to be delivered, or that
// it was. A part is the spans of a trace whose positions are from From up to To.
type Event struct {
	Kind      EventKind
	Verdict   uint8 // as the caller numbers them
	Trigger   uint8 // likewise
	Late      bool  // a part that came after its trace was sampled
	Policy    int   // index in the journal's names; -1 is none
	TraceID   [16]byte
	From, To  Position
	At        uint32 // Unix seconds
	Threshold uint64 // 56 bits, or all ones: there is none
	Random    uint64 // likewise
}

// EventKind is what happened.
type EventKind uint8

// What happens to a part of a trace. Of a part that is not wanted there is only a decision.
const (
	Decided   EventKind = 1
	Attempted EventKind = 2 // the next stage is about to get it, so that after a crash it may get it again
	Delivered EventKind = 3 // or refused for good
	eventSize           = 64
	noPolicy            = 0xffff
)

// Journal is the append-only record of one shard's decisions, in files. The shard's mutex guards it. A nil Journal
// forgets everything.
type Journal struct {
	pool    *Pool
	shard   uint32
	names   []byte
	files   []journalFile // finished, oldest first
	current chunk
	used    int // of current
	now     journalFile
	// Skipped is how many events could not be written because the disk had no room: after a crash they would be decided
	// anew.
	Skipped int64
}

// journalFile is what is remembered of a file.
type journalFile struct {
	number   uint64
	size     int64
	sequence uint64
	highest  uint64 // no segment that was begun when its last event was put has a higher sequence
	events   int
}

// NewJournal returns the journal of a shard. names are of the policies that events refer to by index.
func NewJournal(p *Pool, shard int, names []string) *Journal {
	if p.dir == nil {
		return nil
	}
	return &Journal{pool: p, shard: uint32(shard), names: encodeNames(names)}
}

// Rename gives the journal these names. If they are other ones than before, events that follow go to another file.
func (j *Journal) Rename(names []string) {
	if j == nil {
		return
	}
	if b := encodeNames(names); !bytes.Equal(b, j.names) {
		j.names = b
		j.finish()
	}
}

func encodeNames(names []string) (b []byte) {
	for _, name := range names {
		b = binary.AppendUvarint(b, uint64(len(name)))
		b = append(b, name...)
	}
	return b
}

// Put appends an event. It is durable as soon as Put returns, in the sense in which spans are.
func (j *Journal) Put(e *Event, now int64) {
	if j == nil {
		return
	}
	if j.current.buf == nil || j.used+eventSize > len(j.current.buf) {
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
	j.used += eventSize
	j.now.events++
	j.now.highest = j.pool.sequence.Load()
}

// store writes an event behind the last.
func (j *Journal) store(e *Event) (err error) {
	defer Guard(&err)()
	e.put(j.current.buf[j.used:j.used+eventSize], j.now.sequence)
	return nil
}

// put writes an event into 64 bytes.
func (e *Event) put(b []byte, sequence uint64) {
	policy := uint16(noPolicy)
	if e.Policy >= 0 {
		policy = uint16(e.Policy)
	}
	b[4], b[5] = byte(e.Kind), e.Verdict
	binary.LittleEndian.PutUint16(b[6:], policy)
	copy(b[8:24], e.TraceID[:])
	binary.LittleEndian.PutUint64(b[24:], uint64(e.From))
	binary.LittleEndian.PutUint64(b[32:], uint64(e.To))
	binary.LittleEndian.PutUint64(b[40:], e.Threshold&^(0xff<<56)|uint64(e.Trigger)<<56)
	random := e.Random &^ (0xff << 56)
	if e.Random>>56 != 0 {
		random |= flagNoRandom << 56
	}
	if e.Threshold>>56 != 0 {
		random |= flagNoThreshold << 56
	}
	if e.Late {
		random |= flagLate << 56
	}
	binary.LittleEndian.PutUint64(b[48:], random)
	binary.LittleEndian.PutUint32(b[56:], e.At)
	binary.LittleEndian.PutUint32(b[60:], 0)
	binary.LittleEndian.PutUint32(b, eventChecksum(sequence, b))
}

// Flags beside an event's randomness.
const (
	flagLate        = 1
	flagNoRandom    = 2 // the trace has no randomness of its own: Random is all ones
	flagNoThreshold = 4 // the trace has no weight: Threshold is all ones
)

func eventChecksum(sequence uint64, b []byte) uint32 {
	return checksumFrom(sequence, b[4:eventSize])
}

// parse reads an event, and reports whether it is one of the journal file with this sequence.
func (e *Event) parse(b []byte, sequence uint64) bool {
	if binary.LittleEndian.Uint32(b) != eventChecksum(sequence, b) {
		return false
	}
	threshold, random := binary.LittleEndian.Uint64(b[40:]), binary.LittleEndian.Uint64(b[48:])
	*e = Event{
		Kind: EventKind(b[4]), Verdict: b[5], Policy: int(binary.LittleEndian.Uint16(b[6:])),
		From: Position(binary.LittleEndian.Uint64(b[24:])), To: Position(binary.LittleEndian.Uint64(b[32:])),
		Threshold: threshold &^ (0xff << 56), Trigger: uint8(threshold >> 56),
		Random: random &^ (0xff << 56), Late: random>>56&flagLate != 0,
		At: binary.LittleEndian.Uint32(b[56:]),
	}
	if random>>56&flagNoRandom != 0 {
		e.Random = ^uint64(0)
	}
	if random>>56&flagNoThreshold != 0 {
		e.Threshold = ^uint64(0)
	}
	if e.Policy == noPolicy {
		e.Policy = -1
	}
	copy(e.TraceID[:], b[8:24])
	return true
}

// rotate begins another file.
func (j *Journal) rotate(now int64) error {
	header := fileHeaderSize + (4+len(j.names)+eventSize-1)/eventSize*eventSize
	size := max(j.pool.segmentSize, header+64*eventSize)
	c, err := j.pool.dir.create(journalSuffix, size)
	if err != nil {
		return fmt.Errorf("begin a journal: %w", err)
	}
	j.finish()
	h := fileHeader{
		shard: j.shard, sequence: j.pool.sequence.Add(1), created: now, seed: j.pool.seed,
		shards: uint32(j.pool.shards), size: uint32(size),
	}
	h.put(c.buf)
	binary.LittleEndian.PutUint32(c.buf[fileHeaderSize:], checksumFrom(h.sequence, j.names))
	copy(c.buf[fileHeaderSize+4:], j.names)
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&c.buf[headerUsedAt])), toLittleEndian(uint32(len(j.names))))
	setMagic(c.buf, magicJournal)
	j.current, j.used = c, header
	j.now = journalFile{number: c.number, size: int64(size), sequence: h.sequence}
	j.pool.Grow(int64(size))
	j.pool.writing(c.number, journalSuffix)
	return nil
}

// finish ends the current file.
func (j *Journal) finish() {
	if j.current.buf == nil {
		return
	}
	j.pool.written(j.current.number, journalSuffix)
	unmapFile(j.current.buf)
	j.pool.Grow(-int64(len(j.current.buf)))
	j.files = append(j.files, j.now)
	j.current = chunk{}
}

// Full reports whether the next event needs another file, which is when to call Trim.
func (j *Journal) Full() bool {
	return j != nil && (j.current.buf == nil || j.used+eventSize > len(j.current.buf))
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
		j.pool.unwanted(f.number, journalSuffix)
		_ = j.pool.dir.remove(f.number, journalSuffix, f.size) // should it stay, it is read again at the next start
	}
}

// lowest is the lowest sequence of a segment in the log.
func (l *Log) lowest() uint64 {
	lowest := l.pool.sequence.Load() + 1
	for i := range l.segments {
		if s := &l.segments[i]; s.sequence != 0 {
			lowest = min(lowest, s.sequence)
		}
	}
	return lowest
}

// Close ends the journal. Its files stay.
func (j *Journal) Close() {
	if j != nil {
		j.finish()
	}
}
