package format

import "encoding/binary"

// Names are what a journal's events refer to by index.
type Names struct {
	Policies     []string
	Destinations []string // the keys of all that there are
}

// namesAt is where a journal's names begin, behind their checksum.
const namesAt = HeaderSize + 4

// Encode returns the names as the file has them.
func (n Names) Encode() []byte {
	return encodeList(encodeList(nil, n.Destinations), n.Policies)
}

func encodeList(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, name := range list {
		b = binary.AppendUvarint(b, uint64(len(name)))
		b = append(b, name...)
	}
	return b
}

// PutNames writes encoded names behind the header of the journal file with this sequence.
func PutNames(b, names []byte, sequence uint64) {
	binary.LittleEndian.PutUint32(b[HeaderSize:], Checksum(sequence, names))
	copy(b[namesAt:], names)
	SetUsed(b, uint32(len(names)))
}

// ParseNames reads the names, which take so many bytes, and reports whether they are intact.
func ParseNames(b []byte, size int, sequence uint64) (n Names, ok bool) {
	to := namesAt + size
	if to > len(b) || binary.LittleEndian.Uint32(b[HeaderSize:]) != Checksum(sequence, b[namesAt:to]) {
		return Names{}, false
	}
	rest := b[namesAt:to]
	if n.Destinations, rest, ok = parseList(rest); !ok {
		return Names{}, false
	}
	if n.Policies, rest, ok = parseList(rest); !ok || len(rest) > 0 {
		return Names{}, false
	}
	return n, true
}

// parseList reads a list, and returns what follows it.
func parseList(b []byte) (list []string, rest []byte, ok bool) {
	count, size := binary.Uvarint(b)
	if size <= 0 {
		return nil, nil, false
	}
	for b = b[size:]; count > 0; count-- {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return nil, nil, false
		}
		list = append(list, string(b[size:size+int(n)]))
		b = b[size+int(n):]
	}
	return list, b, true
}

// EventsAt is where a journal's events begin behind so many bytes of names.
func EventsAt(names int) int { return HeaderSize + (4+names+EventSize-1)/EventSize*EventSize }
