package count

import (
	"encoding/binary"
	"errors"
)

// Records are what a log and a snapshot keep, little endian; docs/adr/0007-durable-counts.md draws them. A record begins
// with its kind.
const (
	recordSpans   = 'c' // the counts of a request's spans
	recordCalls   = 'd' // a series of calls is defined
	recordEvents  = 'e' // a series of events is defined
	recordMarks   = 'm' // series were born, or told
	recordExpired = 'x' // series were forgotten
	recordFlush   = 'f' // the time of a flush
	recordCallsN  = 'C' // snapshot: the count of a series of calls
	recordEventsN = 'E' // snapshot: the count of a series of events
	recordRequest = 'r' // snapshot: a request was counted
	recordName    = 'n' // the name that the counts have
	recordAged    = 'a' // events got the age of a sample
	recordLoss    = 'l' // snapshot: counts of before were not taken up
)

var errRecord = errors.New("a record of counts cannot be read")

// RequestID stands for the bytes of a request: a hash of 128 bits. Zero stands for none.
type RequestID struct{ Low, High uint64 }

// IsZero reports whether it stands for no request.
func (id RequestID) IsZero() bool { return id == RequestID{} }

// spansHead is the length of what a record of spans begins with: kind, three bytes unused, the length of all, when the
// request was counted (Unix ms), its ID.
const spansHead = 32

func appendSpansHead(b []byte, id RequestID, at int64) []byte {
	b = append(b, recordSpans, 0, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(at))
	b = binary.LittleEndian.AppendUint64(b, id.Low)
	return binary.LittleEndian.AppendUint64(b, id.High)
}

// recordMinute returns the minute in which a record of spans was counted.
func recordMinute(record []byte) minute {
	return minuteOf(int64(binary.LittleEndian.Uint64(record[8:])))
}

// An entry of a record of spans is a word: the number of a series and two bits. The entry of a call goes on with its
// duration; that of anything that does not count as one, with its weight. The entry of a call is followed by those of its span's
// events. If the span ended in an earlier minute than that of the record, an entry of its age comes between: a word with
// entryEvent, entryAge, and the age when it was counted.
const (
	entryEvent    = 1 << 31
	entryWeighted = 1 << 30
	entryAge      = 1 << 29
	entryNumber   = entryAge - 1
	ageMask       = 1<<5 - 1

	// maxNumber is more series than any memory has room for.
	maxNumber = 1 << 26
)

func appendCall(b []byte, number uint32, nanos uint64, w Weight) []byte {
	if w != weightOne {
		b = binary.LittleEndian.AppendUint32(b, number|entryWeighted)
		return appendWeight(binary.LittleEndian.AppendUint64(b, nanos), w)
	}
	n := len(b)
	if cap(b)-n < 12 {
		b = binary.LittleEndian.AppendUint32(b, number)
		return binary.LittleEndian.AppendUint64(b, nanos)
	}
	b = b[:n+12]
	binary.LittleEndian.PutUint32(b[n:], number)
	binary.LittleEndian.PutUint64(b[n+4:], nanos)
	return b
}

func appendEvent(b []byte, number uint32, w Weight) []byte {
	if w != weightOne {
		return appendWeight(binary.LittleEndian.AppendUint32(b, number|entryEvent|entryWeighted), w)
	}
	return binary.LittleEndian.AppendUint32(b, number|entryEvent)
}

func appendAge(b []byte, age uint32) []byte {
	return binary.LittleEndian.AppendUint32(b, entryEvent|entryAge|age)
}

// before returns the minute in which a span ended that had an age when it was counted.
func (m minute) before(age uint32) minute {
	if age > oldestAge {
		return lateMinute
	}
	return m - minute(age)
}

func appendWeight(b []byte, w Weight) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(b, w.whole), w.part)
}

const weightLength = 12

// weightAt reads what appendWeight wrote.
func weightAt(b []byte) Weight {
	return Weight{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint32(b[8:])}
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendCallDefinition(b []byte, number uint32, kind, status uint8, service, operation string) []byte {
	b = binary.AppendUvarint(append(b, recordCalls), uint64(number))
	b = append(b, kind, status)
	return appendText(appendText(b, service), operation)
}

func appendEventDefinition(b []byte, s *EventSeries) []byte {
	b = binary.AppendUvarint(append(b, recordEvents), uint64(s.number))
	reason, bad := s.Reason()
	b = append(b, boolByte(bad))
	for _, label := range []string{s.Objective(), s.Service(), s.Operation(), s.Version(), reason} {
		b = appendText(b, label)
	}
	return b
}

// agedAtOnce is how long a record of aged events becomes at most, but for the last entry.
const agedAtOnce = 64 << 10

// appendAgedHead begins a record of events that got an age in a sample of a minute.
func appendAgedHead(b []byte, sample minute) []byte {
	return binary.AppendVarint(append(b, recordAged), int64(sample))
}

// appendAged appends the number of a series, the minute in which the spans ended, counted back from the sample's, the age, and the
// weight.
func appendAged(b []byte, a *AgeSeries, sample minute, c minuteCount) []byte {
	b = binary.AppendUvarint(b, uint64(a.number))
	b = append(binary.AppendVarint(b, int64(sample)-int64(c.minute)), a.age)
	return binary.AppendUvarint(binary.AppendUvarint(b, c.n.whole), uint64(c.n.part))
}

// restoreAged applies a record of aged events. It does not depend on the order of records: a minute may have less than nothing
// until its events are restored.
func (r *reader) restoreAged(t *tree) {
	sample := r.varint()
	for r.more() {
		e := t.event.find(r.number(), (*eventNumber).isFree)
		ended, age := minute(sample-r.varint()), r.age()
		n := Weight{whole: r.uvarint(), part: uint32(r.uvarint())}
		if e != nil && !r.failed {
			e.take(ended, n)
			e.series.makeAge(t, age).n.add(n)
		}
	}
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// AppendName appends the record of a name.
func AppendName(b []byte, name string) []byte { return appendText(append(b, recordName), name) }

// AppendFlush appends the record of a flush, at a time in Unix ms.
func AppendFlush(b []byte, at int64) []byte { return binary.AppendVarint(append(b, recordFlush), at) }

// AppendLoss appends the record that counts of before were not taken up, at a time in Unix ms, and why.
func AppendLoss(b []byte, at int64, reason string) []byte {
	return appendText(binary.AppendVarint(append(b, recordLoss), at), reason)
}

// AppendRequest appends the record of a request that was counted, at a time in Unix ms.
func AppendRequest(b []byte, id RequestID, at int64) []byte {
	b = binary.LittleEndian.AppendUint64(append(b, recordRequest), uint64(at))
	b = binary.LittleEndian.AppendUint64(b, id.Low)
	return binary.LittleEndian.AppendUint64(b, id.High)
}

// reader reads a record. Its first error stays.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.failed, r.b = true, nil
		return nil
	}
	part := r.b[:n]
	r.b = r.b[n:]
	return part
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// number reads the number of a series.
func (r *reader) number() uint32 {
	v := r.uvarint()
	if v == 0 || v > maxNumber {
		r.failed, r.b = true, nil
		return 0
	}
	return uint32(v)
}

func (r *reader) text() string { return string(r.take(int(min(r.uvarint(), 1<<30)))) }

func (r *reader) weight() Weight { return Weight{whole: r.uint64(), part: r.uint32()} }

func (r *reader) more() bool { return len(r.b) > 0 && !r.failed }

func (r *reader) err() error {
	if r.failed {
		return errRecord
	}
	return nil
}
