package tailsampling

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/internal/slab"
)

// entry is what a shard's index knows of a trace. It holds no pointer. Times are nanoseconds since the sampler began.
type entry struct {
	id         wire.TraceID
	start, end uint64           // earliest start and latest end, Unix nanoseconds, of spans that have both; 0 where none has
	rv         uint64           // the least explicit randomness, or tracestate.None
	threshold  uint64           // once decided; tracestate.None where the trace has no weight that could be told
	arrived    int64            // when the first span came, or of a late part its first
	touched    int64            // when it last went to the end of the quiet list, or when it was not sampled
	bytes      uint64           // of span bodies
	from, to   spanlog.Position // its spans are those of the trace between: from the first on, to where the log was when it was decided
	chain      spanlog.Chain
	spans      uint32
	hash       uint32
	policy     int32 // once decided: the number of what did it, in names
	state      state
	generation uint8  // until it is decided for good
	tries      uint8  // that failed to read it back
	attempted  bool   // the journal knows that the next component was about to get it
	held       uint32 // spans that came since it was not sampled
	links      [listKinds]link
}

type state uint8

const (
	pending   state = iota // waits for a decision
	rooted                 // so too, and has its root span
	revivable              // was not sampled, and stays in case that what comes late changes that
	late                   // spans that came after the trace was sampled
	ready                  // sampled, waits for an emitter or is with one
	gone                   // not in use
)

// list is a doubly linked list of entries of a shard, by number. An entry can be in one list of each kind.
type list struct {
	head, tail uint32
	kind       listKind
}

type listKind uint8

const (
	// byAge is for the lists of which a trace is in exactly one: waiting, unsampled, late, ready.
	byAge listKind = iota
	// byQuiet is for the list of traces whose root was seen.
	byQuiet
	listKinds
)

type link struct{ prev, next uint32 }

type entries = slab.Slab[entry]

func (l *list) empty() bool { return l.head == 0 }

func (l *list) next(s *entries, n uint32) uint32 { return s.At(n).links[l.kind].next }

func (l *list) pushBack(s *entries, n uint32) {
	s.At(n).links[l.kind] = link{prev: l.tail}
	if l.tail == 0 {
		l.head = n
	} else {
		s.At(l.tail).links[l.kind].next = n
	}
	l.tail = n
}

func (l *list) pushFront(s *entries, n uint32) {
	s.At(n).links[l.kind] = link{next: l.head}
	if l.head == 0 {
		l.tail = n
	} else {
		s.At(l.head).links[l.kind].prev = n
	}
	l.head = n
}

func (l *list) remove(s *entries, n uint32) {
	at := s.At(n).links[l.kind]
	if at.prev == 0 {
		l.head = at.next
	} else {
		s.At(at.prev).links[l.kind].next = at.next
	}
	if at.next == 0 {
		l.tail = at.prev
	} else {
		s.At(at.next).links[l.kind].prev = at.prev
	}
}

// bitTable holds the policies' bits of entries, by the entry's number, in chunks that the garbage collector skips. Where
// no entry has any there is no chunk.
type bitTable struct {
	words  int
	made   int // chunks that there are
	chunks [][]uint64
}

const bitChunk = 256

func (t *bitTable) at(n uint32) []uint64 {
	from := int(n%bitChunk) * t.words
	return t.chunks[n/bitChunk][from : from+t.words : from+t.words]
}

// reset clears the bits of a new entry, making room for them where there is none yet.
func (t *bitTable) reset(n uint32) []uint64 {
	i := int(n / bitChunk)
	for i >= len(t.chunks) {
		t.chunks = append(t.chunks, nil)
	}
	if t.chunks[i] == nil {
		t.chunks[i] = make([]uint64, bitChunk*t.words)
		t.made++
	}
	bits := t.at(n)
	clear(bits)
	return bits
}

func (t *bitTable) bytes() int { return t.made * bitChunk * t.words * 8 }

// rank says how much is lost with a trace; under pressure those of the lowest rank are decided first.
type rank uint8

const (
	boring      rank = iota // kept by chance at most
	interesting             // a policy wants it
	failed                  // has a span with an error
	ranks
)

// rank is that of a pending trace.
func (s *shard) rank(n uint32, now int64) rank {
	e := s.entries.At(n)
	set, t := s.rules.at(e).rules.set, s.trace(n, e, now)
	switch {
	case set.Errors(t.Bits):
		return failed
	case set.Certain(t):
		return interesting
	default:
		return boring
	}
}
