package cold

import (
	"fmt"
	"slices"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// minBlocks is how many decoded blocks a reader keeps at least. Small segments have small blocks.
const minBlocks = 2

// blocks is a cache of the most recently used decoded blocks.
type blocks struct {
	list       []block
	clock      uint64 // counts uses
	compressed []byte
	joined     []byte // bytes that were in several blocks
}

// block is a decoded block.
type block struct {
	segment *Segment // nil if the block is unused
	number  int
	used    uint64 // blocks.clock at its last use
	buf     []byte
}

// at returns n bytes of a segment, valid until the next call.
func (b *blocks) at(open *openFiles, s *Segment, at, n uint32) ([]byte, error) {
	number, offset := int(at/format.BlockSize), at%format.BlockSize
	if offset+n <= format.BlockSize {
		buf, err := b.block(open, s, number)
		if err != nil {
			return nil, err
		}
		if int(offset+n) > len(buf) {
			return nil, format.ErrDamaged
		}
		return buf[offset:][:n:n], nil
	}
	b.joined = b.joined[:0]
	for ; uint32(len(b.joined)) < n; number, offset = number+1, 0 {
		buf, err := b.block(open, s, number)
		if err != nil {
			return nil, err
		}
		if int(offset) >= len(buf) {
			return nil, format.ErrDamaged
		}
		b.joined = append(b.joined, buf[offset:min(len(buf), int(offset)+int(n)-len(b.joined))]...)
	}
	return b.joined[:n:n], nil
}

func newBlocks(memory int) blocks {
	return blocks{list: make([]block, max(minBlocks, memory/format.BlockSize))}
}

// block returns a decoded block, valid until the next call. It decodes a missing one in place of the least recently used.
func (b *blocks) block(open *openFiles, s *Segment, number int) ([]byte, error) {
	b.clock++
	oldest := &b.list[0]
	for i := range b.list {
		at := &b.list[i]
		if at.segment == s && at.number == number {
			at.used = b.clock
			return at.buf, nil
		}
		if at.used < oldest.used {
			oldest = at
		}
	}
	oldest.segment = nil // until it is decoded
	if err := b.decode(open, s, number, oldest); err != nil {
		return nil, err
	}
	oldest.segment, oldest.number, oldest.used = s, number, b.clock
	return oldest.buf, nil
}

func (b *blocks) decode(open *openFiles, s *Segment, number int, into *block) (err error) {
	var f *openFile
	var index format.Index
	if s.InFile() {
		if f, err = open.of(s); err != nil {
			return err
		}
		index = f.index
	} else if index, err = format.ParseIndex(s.Packed.Buf); err != nil {
		return err
	}
	if number >= index.Blocks() {
		return format.ErrDamaged
	}
	found := index.Block(number)
	if cap(into.buf) < found.Size {
		into.buf = make([]byte, found.Size)
	}
	into.buf = into.buf[:found.Size]
	if !s.InFile() {
		return found.Decode(into.buf, s.Packed.Buf[found.From:found.To])
	}
	b.compressed = slices.Grow(b.compressed[:0], found.To-found.From)
	compressed := b.compressed[:found.To-found.From]
	if _, err = f.ReadAt(compressed, int64(found.From)); err == nil {
		err = found.Decode(into.buf, compressed)
	}
	if err != nil {
		return fmt.Errorf("read compressed spans back from %s: %w", open.disk.File(s.File), err)
	}
	return nil
}

// trim frees a large buffer of joined blocks, and drops blocks of segments that are gone.
func (b *blocks) trim() {
	if cap(b.joined) > minWindow {
		b.joined = nil
	}
	for i := range b.list {
		if s := b.list[i].segment; s != nil && s.Gone {
			b.list[i].segment = nil
		}
	}
}

func (b *blocks) bytes() (n int) {
	for i := range b.list {
		n += cap(b.list[i].buf)
	}
	return n + cap(b.compressed) + cap(b.joined)
}
