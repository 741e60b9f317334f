// Package grpczstd replaces gRPC's compressor "zstd", for clients and servers of the whole process, by one that refuses frames
// with a window over 8 MiB: a frame of ten bytes may ask for gigabytes, which are allocated before anything is read. RFC 8878
// requires decoders to support 8 MiB, and encoders stay within it by default. It compresses as configgrpc's does. Importing
// the package is enough.
package grpczstd

import (
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
	_ "go.opentelemetry.io/collector/config/configgrpc" // registers its own first, which this one replaces
	"google.golang.org/grpc/encoding"
)

const name = "zstd"

// maxWindow is the largest window in bytes.
const maxWindow = 8 << 20

func init() { encoding.RegisterCompressor(&compressor{Compressor: encoding.GetCompressor(name)}) }

// compressor implements encoding.Compressor. Its methods may be called concurrently.
type compressor struct {
	encoding.Compressor
	readers sync.Pool // *zstd.Decoder
}

// reader returns to its pool when it is closed. It hides the decoder's WriteTo, with which gRPC would write the whole
// message.
type reader struct {
	d    *zstd.Decoder
	pool *sync.Pool
}

// Read implements io.Reader.
func (r *reader) Read(b []byte) (int, error) { return r.d.Read(b) }

// Decompress implements encoding.Compressor.
func (c *compressor) Decompress(from io.Reader) (io.Reader, error) {
	d, ok := c.readers.Get().(*zstd.Decoder)
	if !ok {
		var err error
		if d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow)); err != nil {
			return nil, err
		}
	}
	if err := d.Reset(from); err != nil {
		c.readers.Put(d)
		return nil, err
	}
	return &reader{d, &c.readers}, nil
}

// Close returns the decoder. gRPC calls it after reading the message.
func (r *reader) Close() error {
	err := r.d.Reset(nil)
	if err == nil {
		r.pool.Put(r.d)
	}
	return err
}
