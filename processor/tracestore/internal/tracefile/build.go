package tracefile

import (
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
)

const (
	// chunkBytes is the approximate size of a chunk, which is evicted as a whole and stored in one piece.
	chunkBytes = 256 << 10
	// maxChunkTraces keeps slots within 2 bytes.
	maxChunkTraces = 1 << 14
)

// builder collects items for a chunk.
type builder struct {
	limit   int // of bytes
	items   []*Item
	bytes   int
	entries []entry
	buffers [][]byte // of the transaction's chunks: bbolt refers to values until the commit
	built   int      // in this transaction
}

// maxBuffers and maxBufferBytes limit the memory that a transaction keeps for the next.
const (
	maxBuffers     = 4
	maxBufferBytes = 2 * chunkBytes
)

// begin begins a transaction. It reuses the buffers of the last one.
func (b *builder) begin() {
	b.built = 0
	b.reset()
}

// buffer returns an empty slice with at least this capacity, valid until the end of the transaction.
func (b *builder) buffer(room int) []byte {
	b.built++
	if room > maxBufferBytes || b.built > maxBuffers {
		return make([]byte, 0, room)
	}
	if b.built > len(b.buffers) {
		b.buffers = append(b.buffers, make([]byte, 0, maxBufferBytes))
	}
	return b.buffers[b.built-1]
}

// entry is a term of a slot.
type entry struct {
	term  uint64
	grain uint32
	slot  uint16
}

func (b *builder) add(item *Item) {
	b.items = append(b.items, item)
	b.bytes += len(item.Packed)
}

func (b *builder) full() bool { return b.bytes >= b.limit || len(b.items) >= maxChunkTraces }

func (b *builder) reset() {
	clear(b.items)
	b.items, b.bytes, b.entries = b.items[:0], 0, b.entries[:0]
}

// build sorts the items by position, and the entries by term and grain, and returns the chunk.
func (b *builder) build(stored uint64) []byte {
	slices.SortFunc(b.items, func(x, y *Item) int { return x.at().compare(y.at()) })
	runs := b.sortEntries()
	head := chunkPrefix + len(b.items)*traceBytes + runs*entryBytes
	room := head + b.bytes
	for _, item := range b.items {
		room += 256 + 8*len(item.Terms) + 64*len(item.Meta.Summary.Services)
	}
	data := b.buffer(room)[:head]
	data[0] = chunkFormat
	binary.BigEndian.PutUint64(data[5:], stored)
	binary.BigEndian.PutUint32(data[13:], uint32(len(b.items)))
	binary.BigEndian.PutUint32(data[17:], uint32(runs))
	at := chunkPrefix
	for _, item := range b.items {
		data = record.Append(data, &item.Header, item.Packed)
		p := item.at()
		binary.BigEndian.PutUint32(data[at+copy(data[at:], p[:]):], uint32(len(data)-head))
		at += traceBytes
	}
	for run := range b.runs {
		binary.BigEndian.PutUint64(data[at:], run[0].term)
		binary.BigEndian.PutUint32(data[at+8:], run[0].grain)
		at += entryBytes
	}
	binary.BigEndian.PutUint32(data[1:], crc32.Checksum(data[5:head], castagnoli))
	return data
}

// sortEntries creates the entries of the items, and returns the number of index entries that they form.
func (b *builder) sortEntries() (runs int) {
	for slot, item := range b.items {
		grain := grainOf(item.Start)
		for _, term := range item.Terms {
			b.entries = append(b.entries, entry{term, grain, uint16(slot)})
		}
	}
	slices.SortFunc(b.entries, func(x, y entry) int {
		if x.term != y.term {
			return cmp.Compare(x.term, y.term)
		}
		return cmp.Compare(x.slot, y.slot) // and so by grain, as the items are sorted by start
	})
	for range b.runs {
		runs++
	}
	return runs
}

// runs yields the entries grouped by term and grain.
func (b *builder) runs(yield func([]entry) bool) {
	for left := b.entries; len(left) > 0; {
		n := 1
		for n < len(left) && left[n].term == left[0].term && left[n].grain == left[0].grain {
			n++
		}
		if !yield(left[:n]) {
			return
		}
		left = left[n:]
	}
}
