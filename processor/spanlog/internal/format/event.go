package format

import "encoding/binary"

// Event records in a journal that a part of a trace was decided, is about to be delivered, or was delivered. The part is the
// spans of the trace with positions from From to To.
type Event struct {
	Kind      EventKind
	Verdict   uint8 // a number of the caller's
	Trigger   uint8 // likewise
	Late      bool  // the part came after its trace was sampled
	Policy    int   // index in Names.Policies; -1 is none
	TraceID   [16]byte
	From, To  Position
	At        uint32 // Unix seconds
	Threshold uint64 // 56 bits; all ones means none
	Random    uint64 // likewise
	Failed    bool   // a span with an error was seen
	Revived   bool   // the trace was not sampled at first, and a late span changed that
	Trimmed   uint32 // number of spans that were left out, at most MaxTrimmed
	// Destination is an index in Names.Destinations, or EveryDestination. A decision has none: a sampled trace waits for all
	// destinations of the journal.
	Destination uint8
}

// MaxTrimmed is the highest count of Event.Trimmed.
const MaxTrimmed = 1<<24 - 1

// EveryDestination stands for all destinations of the journal.
const EveryDestination = 0xff

// EventKind says whether a part of a trace was decided, attempted or delivered.
type EventKind uint8

// Kinds of events. A part that was not sampled has only a decision.
const (
	Decided   EventKind = 1
	Attempted EventKind = 2 // its delivery to a destination begins; after a crash it may be delivered again
	Delivered EventKind = 3 // a destination has it, or its delivery was given up
	Marked    EventKind = 4 // its trace must be kept when it is decided; it has no spans: From and To are the trace's first
	noPolicy            = 0xffff
)

// EventSize is the size of an event in a journal.
const EventSize = 64

// Put writes an event of the journal file with this sequence into EventSize bytes.
func (e *Event) Put(b []byte, sequence uint64) {
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
	if e.Failed {
		random |= flagFailed << 56
	}
	if e.Revived {
		random |= flagRevived << 56
	}
	binary.LittleEndian.PutUint64(b[48:], random)
	binary.LittleEndian.PutUint32(b[56:], e.At)
	binary.LittleEndian.PutUint32(b[60:], min(e.Trimmed, MaxTrimmed)<<8|uint32(e.Destination))
	binary.LittleEndian.PutUint32(b, eventChecksum(sequence, b))
}

// Flags beside an event's randomness.
const (
	flagLate        = 1
	flagNoRandom    = 2 // the trace has no randomness of its own: Random is all ones
	flagNoThreshold = 4 // the trace has no weight: Threshold is all ones
	flagFailed      = 8
	flagRevived     = 16
)

func eventChecksum(sequence uint64, b []byte) uint32 {
	return Checksum(sequence, b[4:EventSize])
}

// Parse reads an event, and reports whether it is intact and of the journal file with this sequence.
func (e *Event) Parse(b []byte, sequence uint64) bool {
	if binary.LittleEndian.Uint32(b) != eventChecksum(sequence, b) {
		return false
	}
	threshold, random := binary.LittleEndian.Uint64(b[40:]), binary.LittleEndian.Uint64(b[48:])
	trimmed, flags := binary.LittleEndian.Uint32(b[60:]), random>>56
	*e = Event{
		Kind: EventKind(b[4]), Verdict: b[5], Policy: int(binary.LittleEndian.Uint16(b[6:])),
		From: Position(binary.LittleEndian.Uint64(b[24:])), To: Position(binary.LittleEndian.Uint64(b[32:])),
		Threshold: threshold &^ (0xff << 56), Trigger: uint8(threshold >> 56),
		Random: random &^ (0xff << 56), Late: flags&flagLate != 0,
		Failed: flags&flagFailed != 0, Revived: flags&flagRevived != 0,
		At: binary.LittleEndian.Uint32(b[56:]), Trimmed: trimmed >> 8, Destination: uint8(trimmed),
	}
	if flags&flagNoRandom != 0 {
		e.Random = ^uint64(0)
	}
	if flags&flagNoThreshold != 0 {
		e.Threshold = ^uint64(0)
	}
	if e.Policy == noPolicy {
		e.Policy = -1
	}
	copy(e.TraceID[:], b[8:24])
	return true
}
