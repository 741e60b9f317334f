package format

import "encoding/binary"

// Names are the policies and destinations that a journal's events refer to by index.
type Names struct {
	Policies     []string
	Destinations []Destination
}

// Destination receives sampled traces.
type Destination struct {
	Key   string
	Since uint32 // Unix seconds; it gets no trace that was decided before
}

// namesAt is the offset of a journal's names, behind their checksum.
const namesAt = HeaderSize + 4

// Encode returns the names in the format of a file.
func (n Names) Encode() (b []byte) {
	b = binary.AppendUvarint(b, uint64(len(n.Destinations)))
	for _, d := range n.Destinations {
		b = encodeString(binary.AppendUvarint(b, uint64(d.Since)), d.Key)
	}
	for _, name := range n.Policies {
		b = encodeString(b, name)
	}
	return b
}

func encodeString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// PutNames writes encoded names behind the header of the journal file with this sequence.
func PutNames(b, names []byte, sequence uint64) {
	binary.LittleEndian.PutUint32(b[HeaderSize:], Checksum(sequence, names))
	copy(b[namesAt:], names)
	SetUsed(b, uint32(len(names)))
}

// ParseNames reads names of size bytes from the journal file with this sequence, and reports whether they are intact.
func ParseNames(b []byte, size int, sequence uint64) (n Names, ok bool) {
	to := namesAt + size
	if to > len(b) || binary.LittleEndian.Uint32(b[HeaderSize:]) != Checksum(sequence, b[namesAt:to]) {
		return Names{}, false
	}
	r := reader{rest: b[namesAt:to], ok: true}
	for count := r.number(); count > 0 && r.ok; count-- {
		since := r.number()
		n.Destinations = append(n.Destinations, Destination{Key: r.text(), Since: uint32(since)})
	}
	for len(r.rest) > 0 && r.ok {
		n.Policies = append(n.Policies, r.text())
	}
	if !r.ok {
		return Names{}, false
	}
	return n, true
}

// reader reads the numbers and strings of encoded names. ok is false from the first damage on.
type reader struct {
	rest []byte
	ok   bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.ok, r.rest = false, nil
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) text() string {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.ok, r.rest = false, nil
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

// EventsAt returns the offset of a journal's first event, behind so many bytes of names.
func EventsAt(names int) int { return HeaderSize + (4+names+EventSize-1)/EventSize*EventSize }
