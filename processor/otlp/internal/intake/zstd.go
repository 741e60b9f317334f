package intake

import (
	"errors"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// zstds are decoders of whole bodies. Such a one uses what it wrote as its window, so that the window that a frame asks
// for, which may be gigabytes, is never allocated; and it writes no further than the capacity that it is given.
var zstds = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return err
	}
	return d
}}

// zstdMemory is the most that a decoder takes: a block of raw bytes.
const zstdMemory = 2 << 20

// unzstd decompresses into a buffer that is large enough for most bodies, and again into one four times as large where it
// is not.
func (q *Request) unzstd(compressed []byte, limit int64) error {
	d, ok := zstds.Get().(*zstd.Decoder)
	if !ok {
		return errors.New("zstd: no decoder")
	}
	defer zstds.Put(d)
	size := int64(stepFactor * len(compressed))
	var header zstd.Header
	if header.Decode(compressed) == nil && header.HasFCS && header.FrameContentSize <= uint64(64*len(compressed)) {
		size = int64(header.FrameContentSize)
	}
	for {
		// What does not fit the buffer makes the decoder grow it by a block, before it gives up.
		size = min(size, limit+1)
		q.Drop()
		if err := q.resize(size); err != nil {
			return err
		}
		err := q.holding(min(int64(cap(q.body)), zstdMemory)+int64(cap(q.body))/4, func() error {
			out, err := d.DecodeAll(compressed, q.body[:0:cap(q.body)])
			if err == nil {
				q.body = out
			}
			return err
		})
		switch {
		case err == nil && int64(len(q.body)) > limit:
			return ErrTooLong
		case !full(err):
			return err
		case int64(cap(q.body)) > limit:
			return ErrTooLong
		}
		size = int64(cap(q.body)) * stepFactor
	}
}

// full reports whether a decoder gave up because its output was full. Within a block it says so in words alone.
func full(err error) bool {
	return errors.Is(err, zstd.ErrDecoderSizeExceeded) || err != nil && strings.Contains(err.Error(), "output bigger than max block size")
}
