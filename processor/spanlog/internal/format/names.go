package format

import "encoding/binary"

// namesAt is where a journal's names begin, behind their checksum.
const namesAt = HeaderSize + 4

// EncodeNames returns the names that a journal's events refer to by index, as the file has them.
func EncodeNames(names []string) (b []byte) {
	for _, name := range names {
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
func ParseNames(b []byte, size int, sequence uint64) (names []string, ok bool) {
	to := namesAt + size
	if to > len(b) || binary.LittleEndian.Uint32(b[HeaderSize:]) != Checksum(sequence, b[namesAt:to]) {
		return nil, false
	}
	for rest := b[namesAt:to]; len(rest) > 0; {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return nil, false
		}
		names = append(names, string(rest[size:size+int(n)]))
		rest = rest[size+int(n):]
	}
	return names, true
}

// EventsAt is where a journal's events begin behind so many bytes of names.
func EventsAt(names int) int { return HeaderSize + (4+names+EventSize-1)/EventSize*EventSize }
