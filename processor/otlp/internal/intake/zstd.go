package intake

import (
	"errors"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// zstds pools decoders of whole bodies. Such a decoder uses its output as its window, so that it never allocates the
// window that a frame asks for, which may be gigabytes; and it never writes beyond the given capacity.
var zstds = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return err
	}
	return d
}}

// zstdMemory is the most memory that a decoder takes: a block of raw bytes.
const zstdMemory = 2 << 20

// unzstd decompresses into a buffer that is large enough for most bodies, and if it is not, again into one four times as
// large.
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
		// A decoder whose output does not fit first grows the buffer by a block, and then fails.
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

// full reports whether a decoder failed because its output was full. Within a block only the text of the error
// shows it.
func full(err error) bool {
	return errors.Is(err, zstd.ErrDecoderSizeExceeded) || err != nil && strings.Contains(err.Error(), "output bigger than max block size")
}
