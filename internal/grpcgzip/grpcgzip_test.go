package grpcgzip

import (
	"bytes"
	stdgzip "compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	"github.com/slowburn/slowburn/processor/trace/tracetest"
)

func TestTakesThePlaceOfGRPCs(t *testing.T) {
	require.IsType(t, new(compressor), encoding.GetCompressor("gzip"))
}

// Both compressors read each other's output, message after message and from several goroutines.
func TestSpeaksGzip(t *testing.T) {
	c := encoding.GetCompressor("gzip")
	var wg sync.WaitGroup
	for seed := range uint64(4) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 0))
			for range 50 {
				message := []byte(strings.Repeat("span ", r.IntN(5000)))
				for range r.IntN(100) {
					message = append(message, byte(r.Uint32()))
				}
				compressed := compress(t, c, message)
				assert.Equal(t, message, read(t, c, compressed))
				std, err := stdgzip.NewReader(bytes.NewReader(compressed))
				assert.NoError(t, err)
				got, err := io.ReadAll(std)
				assert.NoError(t, err)
				assert.Equal(t, message, got)

				var other bytes.Buffer
				w := stdgzip.NewWriter(&other)
				_, err = w.Write(message)
				assert.NoError(t, err)
				assert.NoError(t, w.Close())
				assert.Equal(t, message, read(t, c, other.Bytes()))
			}
		})
	}
	wg.Wait()
}

// Damage is an error of its message only.
func TestDamage(t *testing.T) {
	c := encoding.GetCompressor("gzip")
	good := compress(t, c, []byte(strings.Repeat("span ", 100)))
	for range 3 {
		_, err := c.Decompress(strings.NewReader("no gzip at all"))
		require.Error(t, err)
		r, err := c.Decompress(bytes.NewReader(good[:len(good)-3]))
		require.NoError(t, err)
		_, err = io.ReadAll(r)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.NoError(t, r.(io.Closer).Close())
		require.Len(t, read(t, c, good), 500)
	}
}

func compress(t *testing.T, c encoding.Compressor, message []byte) []byte {
	var b bytes.Buffer
	w, err := c.Compress(&b)
	assert.NoError(t, err)
	_, err = w.Write(message)
	assert.NoError(t, err)
	assert.NoError(t, w.Close())
	return b.Bytes()
}

func read(t *testing.T, c encoding.Compressor, compressed []byte) []byte {
	r, err := c.Decompress(bytes.NewReader(compressed))
	assert.NoError(t, err)
	message, err := io.ReadAll(r)
	assert.NoError(t, err)
	assert.NoError(t, r.(io.Closer).Close())
	if message == nil {
		message = []byte{}
	}
	return message
}

// BenchmarkDecompress reads a message as gRPC does.
func BenchmarkDecompress(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var message []byte
	for len(message) < 100<<10 {
		message = append(message, "http.request.method GET url.path /cart/"...)
		for range 24 {
			message = append(message, byte(r.Uint32()))
		}
	}
	var compressed bytes.Buffer
	w := stdgzip.NewWriter(&compressed)
	_, err := w.Write(message)
	require.NoError(b, err)
	require.NoError(b, w.Close())
	c := encoding.GetCompressor("gzip")
	frame := mem.BufferSlice{mem.SliceBuffer(compressed.Bytes())}
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		from, err := c.Decompress(frame.Reader())
		require.NoError(b, err)
		got, err := mem.ReadAll(from, mem.DefaultBufferPool())
		require.NoError(b, err)
		got.Free()
		require.NoError(b, from.(io.Closer).Close())
	}
}

// BenchmarkLevels measures the cost of each level, and the size of a compressed request of kept traces; gRPC's own is level 6 of std.
func BenchmarkLevels(b *testing.B) {
	td := tracetest.Shop(0, 300)
	message, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(b, err)
	spans := float64(td.SpanCount())
	run := func(name string, newWriter func(io.Writer) (io.WriteCloser, error)) {
		b.Run(name, func(b *testing.B) {
			var out bytes.Buffer
			for b.Loop() {
				out.Reset()
				w, err := newWriter(&out)
				require.NoError(b, err)
				_, err = w.Write(message)
				require.NoError(b, err)
				require.NoError(b, w.Close())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/spans, "ns/span")
			b.ReportMetric(float64(out.Len())/spans, "B/span")
		})
	}
	run("std", func(to io.Writer) (io.WriteCloser, error) { return stdgzip.NewWriter(to), nil })
	for l := 1; l <= 6; l++ {
		run(fmt.Sprint(l), func(to io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(to, l) })
	}
	run("ours", encoding.GetCompressor("gzip").Compress)
}
