package place

import (
	"encoding/binary"
	"hash/crc32"
)

// A file is a page with its head, the log, and the snapshot. All numbers are little endian.
//
//	0     "slowcnts"  version u32  head length u32  generation u64  salt u64  log bytes u64  boot 64 bytes  checksum u32
//	1024  "snapshot"  its bytes u64  its checksum u32  checksum of these u32      once it is committed
//	2048  1                                                                      once it was deserted
//	2049  1                                                                      once it was closed
//	4096  the log, then the snapshot
//
// A record in the log begins at a multiple of 32 bytes: checksum u32, length u32, length xor salt u32, bytes. The checksum
// begins with the salt, too, so nothing in a record can be taken for another. A process that was killed may leave a gap
// between two records.
const (
	magic         = "slowcnts"
	version       = 1
	pageSize      = 4096
	snapshotAt    = 1024
	desertedAt    = 2048
	closedAt      = 2049
	snapshotMagic = "snapshot"
	bootLength    = 64
	headLength    = 8 + 4 + 4 + 8 + 8 + 8 + bootLength
	alignment     = 32
	frameHead     = 12
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

// decodeHead reads a page. It is false where that is no head of this version; then only the version may be right.
func decodeHead(page []byte) (h head, ok bool) {
	if len(page) < pageSize || string(page[:8]) != magic {
		return head{}, false
	}
	h.version = binary.LittleEndian.Uint32(page[8:])
	if h.version != version || crc32.Checksum(page[:headLength], castagnoli) != binary.LittleEndian.Uint32(page[headLength:]) {
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

// checksum is of a record in a log: of its length, too.
func checksum(salt uint64, length uint32, record []byte) uint32 {
	var b [12]byte
	binary.LittleEndian.PutUint64(b[:], salt)
	binary.LittleEndian.PutUint32(b[8:], length)
	return crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, record)
}

// frame is how many bytes a record takes in a log.
func frame(record int) int { return (frameHead + record + alignment - 1) / alignment * alignment }

// readLog hands on the records of a log.
func readLog(log []byte, salt uint64, take func(record []byte) error) (records int, err error) {
	for at := 0; at+frameHead <= len(log); {
		length := binary.LittleEndian.Uint32(log[at+4:])
		if length == 0 || binary.LittleEndian.Uint32(log[at+8:]) != length^uint32(salt) || uint64(at)+frameHead+uint64(length) > uint64(len(log)) {
			at += alignment
			continue
		}
		record := log[at+frameHead:][:length]
		if checksum(salt, length, record) != binary.LittleEndian.Uint32(log[at:]) {
			at += alignment
			continue
		}
		if err := take(record); err != nil {
			return records, err
		}
		records++
		at += frame(int(length))
	}
	return records, nil
}

// readSnapshot hands on the records of a snapshot whose checksum is right: each with its length as a varint before it.
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
