package tracefile

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// A chunk holds traces that were stored together, in the order of their positions; a slot is the number of one of them:
//
//	format (1) | CRC-32C of the rest of the head (4) | stored time (8) | traces (4) | entries (4)
//	for each trace: position (24) | end of its record (4)
//	for each entry: term (8) | grain (4)
//	the records (package record), one after the other
//
// The head is all before the records. The entries are those of the index that name slots of the chunk.
const (
	chunkFormat = 1
	chunkPrefix = 1 + 4 + 8 + 4 + 4
	traceBytes  = 24 + 4
	entryBytes  = 8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errChunk = errors.New("the chunk is damaged")

// chunk is a chunk with an undamaged head.
type chunk struct {
	data            []byte
	traces, entries int
}

// readChunk returns errChunk if the head is damaged.
func readChunk(data []byte) (chunk, error) {
	if len(data) < chunkPrefix || data[0] != chunkFormat {
		return chunk{}, errChunk
	}
	traces, entries := uint64(binary.BigEndian.Uint32(data[13:])), uint64(binary.BigEndian.Uint32(data[17:]))
	head := chunkPrefix + traces*traceBytes + entries*entryBytes
	if head > uint64(len(data)) || crc32.Checksum(data[5:head], castagnoli) != binary.BigEndian.Uint32(data[1:]) {
		return chunk{}, errChunk
	}
	return chunk{data, int(traces), int(entries)}, nil
}

func (c chunk) stored() uint64 { return binary.BigEndian.Uint64(c.data[5:]) }

// at returns the position of a trace.
func (c chunk) at(slot int) position { return position(c.data[chunkPrefix+slot*traceBytes:]) }

// record returns the record of a trace, nil for a slot that the chunk does not have.
func (c chunk) record(slot int) []byte {
	if slot >= c.traces {
		return nil
	}
	records := c.data[chunkPrefix+c.traces*traceBytes+c.entries*entryBytes:]
	end := func(slot int) uint32 {
		if slot < 0 {
			return 0
		}
		return min(uint32(len(records)), binary.BigEndian.Uint32(c.data[chunkPrefix+slot*traceBytes+24:]))
	}
	from, to := end(slot-1), end(slot)
	return records[min(from, to):to]
}

// entry returns the term and the grain of an entry of the index.
func (c chunk) entry(i int) (term uint64, grain uint32) {
	e := c.data[chunkPrefix+c.traces*traceBytes+i*entryBytes:]
	return binary.BigEndian.Uint64(e), binary.BigEndian.Uint32(e[8:])
}
