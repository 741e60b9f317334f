package intake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/pierrec/lz4/v4"
)

// Decompress reads r, a body in one of HTTP's content encodings, to its end into the body of the Request. It stops with
// a *TooLargeError after more than limit bytes of output. expect is the announced length of r, 0 if unknown.
func (q *Request) Decompress(encoding string, r io.Reader, limit, expect int64) error {
	switch encoding {
	case "":
		return q.ReadAll(r, limit, expect)
	case "gzip":
		return q.gunzip(r, limit)
	case "zlib", "deflate":
		return q.inflate(r, limit)
	case "x-snappy-framed":
		return q.unframe(r, limit)
	case "snappy":
		return q.whole(r, limit, expect, q.unsnap)
	case "lz4":
		return q.lz4(r, limit)
	case "zstd":
		return q.whole(r, limit, expect, q.unzstd)
	}
	return fmt.Errorf("unsupported Content-Encoding: %s", encoding)
}

// Pools of readers. Each reader takes less than 64 KiB.
var gzips, zlibs sync.Pool

func (q *Request) gunzip(r io.Reader, limit int64) error {
	z, ok := gzips.Get().(*gzip.Reader)
	if !ok {
		z = new(gzip.Reader)
	}
	defer gzips.Put(z)
	if err := z.Reset(r); err != nil {
		return err
	}
	return q.ReadAll(z, limit, 0)
}

func (q *Request) inflate(r io.Reader, limit int64) (err error) {
	z, ok := zlibs.Get().(io.ReadCloser)
	if ok {
		err = z.(zlib.Resetter).Reset(r, nil)
	} else {
		z, err = zlib.NewReader(r)
	}
	if err != nil {
		return err
	}
	defer zlibs.Put(z)
	return q.ReadAll(z, limit, 0)
}

// holding runs read while n more bytes are reserved for a decompressor's own memory.
func (q *Request) holding(n int64, read func() error) error {
	if err := q.Hold(n); err != nil {
		return err
	}
	defer q.Release(n)
	return read()
}

// whole reads the compressed body first, for formats that cannot be decompressed in steps.
func (q *Request) whole(r io.Reader, limit, expect int64, decompress func(compressed []byte, limit int64) error) error {
	outer := Request{budget: q.budget}
	defer func() {
		outer.Drop()
		outer.Release(outer.held)
	}()
	if err := outer.ReadAll(r, limit, expect); err != nil {
		return err
	}
	return decompress(outer.body, limit)
}

// snappyMemory is the memory of a reader of snappy's frames: a block, plain and compressed.
const snappyMemory = 144 << 10

func (q *Request) unframe(r io.Reader, limit int64) error {
	return q.holding(snappyMemory, func() error { return q.ReadAll(snappy.NewReader(r), limit, 0) })
}

// snappyFrames begins a stream of frames. Some Collectors sent such streams as "snappy", which should be a
// single block.
var snappyFrames = []byte("\xff\x06\x00\x00sNaPpY")

func (q *Request) unsnap(compressed []byte, limit int64) error {
	if bytes.HasPrefix(compressed, snappyFrames) {
		return q.unframe(bytes.NewReader(compressed), limit)
	}
	size, err := snappy.DecodedLen(compressed)
	switch {
	case err != nil:
		return err
	case int64(size) > limit:
		return ErrTooLong
	case size > 22*len(compressed): // an element of a block is at least 3 bytes and stands for at most 64
		return errors.New("snappy: the block cannot hold as many bytes as it says")
	}
	if err := q.resize(int64(size)); err != nil {
		return err
	}
	out, err := snappy.Decode(q.body[:size], compressed)
	if err == nil {
		q.body = out
	}
	return err
}

// lz4Memory is the memory of a reader of lz4, without two blocks.
const lz4Memory = 64 << 10

func (q *Request) lz4(r io.Reader, limit int64) error {
	head := make([]byte, 6)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	block := int64(8 << 20) // of the legacy format, the largest
	const frame = 0x184D2204
	if n == len(head) && binary.LittleEndian.Uint32(head) == frame {
		if code := head[5] >> 4 & 7; code >= 4 {
			block = 64 << 10 << (2 * (code - 4))
		}
	}
	return q.holding(2*block+lz4Memory, func() error {
		return q.ReadAll(lz4.NewReader(io.MultiReader(bytes.NewReader(head[:n]), r)), limit, 0)
	})
}
