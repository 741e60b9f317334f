package place

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// A file is a page with its head, the log, and the snapshot. All numbers are little endian.
//
// The head begins and ends the same way in every version, so a file of another version can be told from a damaged one.
//
//	0     "slowcnts"  version u32  head length u32  generation u64  salt u64  log bytes u64  boot 64 bytes  checksum u32
//	1024  "snapshot"  its bytes u64  its checksum u32  checksum of these u32      once it is committed
//	2048  the mark: bytes of the log that are complete, in units of 32, and a state (2 bits) u32, its checksum u32
//	4096  the log, then the snapshot
//
// A record in the log begins at a multiple of 32 bytes: checksum u32, length u32, length xor salt u32, bytes. The checksums
// of records and of the mark begin with the salt, too, so nothing in a record can be taken for another.
//
// The first 8 bytes of a record are stored last and atomically, and so is the mark: a process that was killed leaves them whole, or
// as they were. So a gap between two records is a writer that was killed if these 8 bytes are zero, and damage otherwise. Before
// the mark there are no gaps: a flush has sent the counts of those records.
const (
	magic         = "slowcnts"
	formatVersion = 3 // of the format
	pageSize      = 4096
	snapshotAt    = 1024
	markAt        = 2048
	snapshotMagic = "snapshot"
	bootLength    = 64
	lengthAt      = 12
	headLength    = 8 + 4 + 4 + 8 + 8 + 8 + bootLength
	alignment     = 32
	frameHead     = 12
)

// state is the state of a generation.
type state uint32

const (
	stateBegun     state = iota // its snapshot is not complete yet
	stateCommitted              // its snapshot is complete
	stateAbandoned              // counts went on without it
	stateClosed                 // it was committed, and closed
)

const (
	stateShift = 30 // of the state in a mark
	unitsMask  = 1<<stateShift - 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type head struct {
	version    uint32
	generation uint64
	salt       uint64
	room       uint64
	boot       string
}

func (h *head) encode() []byte {
	b := make([]byte, 0, pageSize)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, h.version)
	b = binary.LittleEndian.AppendUint32(b, headLength)
	for _, n := range []uint64{h.generation, h.salt, h.room} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	var boot [bootLength]byte
	copy(boot[:], h.boot)
	b = append(b, boot[:]...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// decodeHead parses the head of a page, and reports whether it is a sound one of this version. If it is a sound one of another,
// h.version is that version.
func decodeHead(page []byte) (h head, ok bool) {
	if len(page) < pageSize || string(page[:8]) != magic {
		return head{version: formatVersion}, false
	}
	length := binary.LittleEndian.Uint32(page[lengthAt:])
	if length < lengthAt+4 || length > snapshotAt-4 || crc32.Checksum(page[:length], castagnoli) != binary.LittleEndian.Uint32(page[length:]) {
		return head{version: formatVersion}, false
	}
	if h.version = binary.LittleEndian.Uint32(page[8:]); h.version != formatVersion || length != headLength {
		return h, false
	}
	h.generation = binary.LittleEndian.Uint64(page[16:])
	h.salt = binary.LittleEndian.Uint64(page[24:])
	h.room = binary.LittleEndian.Uint64(page[32:])
	boot := page[40 : 40+bootLength]
	for len(boot) > 0 && boot[len(boot)-1] == 0 {
		boot = boot[:len(boot)-1]
	}
	h.boot = string(boot)
	return h, true
}

func encodeSnapshotHead(bytes uint64, sum uint32) []byte {
	b := append([]byte(nil), snapshotMagic...)
	b = binary.LittleEndian.AppendUint64(b, bytes)
	b = binary.LittleEndian.AppendUint32(b, sum)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeSnapshotHead(page []byte) (bytes uint64, sum uint32, ok bool) {
	b := page[snapshotAt:]
	if string(b[:8]) != snapshotMagic || crc32.Checksum(b[:20], castagnoli) != binary.LittleEndian.Uint32(b[20:]) {
		return 0, 0, false
	}
	return binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint32(b[16:]), true
}

// checksum returns the checksum of a record in a log and its length, with the salt.
func checksum(salt uint64, length uint32, record []byte) uint32 {
	var b [12]byte
	binary.LittleEndian.PutUint64(b[:], salt)
	binary.LittleEndian.PutUint32(b[8:], length)
	return crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, record)
}

// frame returns how many bytes a record takes in a log.
func frame(record int) int { return (frameHead + record + alignment - 1) / alignment * alignment }

// markOf returns the word of a mark: the state, and how many bytes of the log are complete.
func markOf(salt uint64, s state, complete int) uint64 {
	low := uint32(s)<<stateShift | uint32(complete/alignment)&unitsMask
	return uint64(markSum(salt, low))<<32 | uint64(low)
}

func markSum(salt uint64, low uint32) uint32 {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], salt)
	binary.LittleEndian.PutUint32(b[8:], low)
	copy(b[12:], "mark")
	return crc32.Checksum(b[:], castagnoli)
}

// readMark parses the mark of a page, and reports whether it is sound.
func readMark(page []byte, salt uint64) (s state, complete uint64, ok bool) {
	word := binary.LittleEndian.Uint64(page[markAt:])
	low := uint32(word)
	return state(low >> stateShift), uint64(low&unitsMask) * alignment, markSum(salt, low) == uint32(word>>32)
}

// readLog passes the records of a log to take. The first complete bytes must have no gaps; a gap after them is where a writer
// was killed.
func readLog(log []byte, salt, complete uint64, take func(record []byte) error) (records int, err error) {
	gap := false
	for at := 0; at+alignment <= len(log); {
		record := readFrame(log[at:], salt)
		switch {
		case record != nil:
			if err := take(record); err != nil {
				return records, err
			}
			records++
			at += frame(len(record))
			gap = false
		case uint64(at) < complete:
			return records, fmt.Errorf("there is no record at byte %d of the log, though its first %d were complete", at, complete)
		case !gap && binary.LittleEndian.Uint64(log[at:]) != 0:
			return records, fmt.Errorf("the record at byte %d of the log was changed", at)
		default:
			gap = true
			at += alignment
		}
	}
	return records, nil
}

// readFrame returns the record at the beginning of log, or nil if there is none.
func readFrame(log []byte, salt uint64) []byte {
	length := binary.LittleEndian.Uint32(log[4:])
	if length == 0 || binary.LittleEndian.Uint32(log[8:]) != length^uint32(salt) || frameHead+uint64(length) > uint64(len(log)) {
		return nil
	}
	record := log[frameHead:][:length]
	if checksum(salt, length, record) != binary.LittleEndian.Uint32(log) {
		return nil
	}
	return record
}

// readSnapshot passes the records of a snapshot with a correct checksum to take. Each has its length as a varint before it.
func readSnapshot(b []byte, take func(record []byte) error) (records int, err error) {
	for len(b) > 0 {
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n) {
			return records, errDamaged
		}
		if err := take(b[n:][:length]); err != nil {
			return records, err
		}
		b = b[n+int(length):]
		records++
	}
	return records, nil
}
