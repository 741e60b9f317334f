package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const mib = 1 << 20

func TestDefaultLimit(t *testing.T) {
	for memory, want := range map[int64]int64{0: 64 * mib, 256 * mib: 64 * mib, 1024 * mib: 128 * mib, 3072 * mib: 384 * mib, 1 << 40: 512 * mib} {
		assert.Equal(t, want, DefaultLimit(memory), memory)
	}
}

func TestBudget(t *testing.T) {
	b := NewBudget(114) // of which an eighth is for connections that have no protocol yet
	first, second := b.Begin(), b.Begin()
	require.NoError(t, first.Hold(60))
	require.ErrorIs(t, second.Hold(50), ErrSpent, "others hold it: worth another try")
	require.NoError(t, second.Hold(40))
	var large *TooLargeError
	require.ErrorAs(t, second.Hold(61), &large, "more than there is: no use")
	require.ErrorContains(t, large, "raise it")
	first.Release(10)
	require.NoError(t, second.Hold(10))
	assert.True(t, b.Scarce())
	arriving := b.BeginArriving()
	require.NoError(t, arriving.Hold(14))
	require.ErrorIs(t, arriving.Hold(1), ErrSpent)
	first.End()
	second.End()
	arriving.End()
	assert.Zero(t, b.Reserved())
	assert.EqualValues(t, 114, b.Limit())
}

// Parallel requests never hold more than the budget, and release everything.
func TestBudgetInParallel(t *testing.T) {
	const limit = 1 << 20
	b := NewBudget(limit)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 500 {
				q := b.Begin()
				_ = q.ReadAll(strings.NewReader(strings.Repeat("x", rand.IntN(300_000))), limit, 0)
				assert.LessOrEqual(t, b.Reserved(), int64(limit))
				q.End()
			}
		})
	}
	wg.Wait()
	assert.Zero(t, b.Reserved())
}

// encoders are the content encodings.
var encoders = map[string]func(io.Writer) io.WriteCloser{
	"":     func(w io.Writer) io.WriteCloser { return nopCloser{w} },
	"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }, "zlib": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	"deflate":         func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	"x-snappy-framed": func(w io.Writer) io.WriteCloser { return snappy.NewBufferedWriter(w) },
	"snappy":          func(w io.Writer) io.WriteCloser { return &block{w: w} },
	"lz4":             func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) },
	"zstd": func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			panic(err)
		}
		return z
	},
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// block writes snappy's block format.
type block struct {
	w io.Writer
	b bytes.Buffer
}

func (b *block) Write(p []byte) (int, error) { return b.b.Write(p) }
func (b *block) Close() error {
	_, err := b.w.Write(snappy.Encode(nil, b.b.Bytes()))
	return err
}

func encode(t testing.TB, encoding string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := encoders[encoding](&out)
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// Compressed data of any size decompress to the original within the limit; and nothing stays reserved.
func TestDecompress(t *testing.T) {
	noise := make([]byte, 6*mib)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for encoding := range encoders {
		for _, size := range []int{0, 1, minBuffer - 1, minBuffer, minBuffer + 1, 100_000, 5 * mib} {
			for name, b := range map[string][]byte{"noise": noise[:size], "zeros": make([]byte, size)} {
				t.Run(fmt.Sprintf("%s/%d/%s", encoding, size, name), func(t *testing.T) {
					budget := NewBudget(64 * mib)
					compressed := encode(t, encoding, b)
					for _, limit := range []int64{int64(size), int64(size) + 1, 32 * mib} {
						q := budget.Begin()
						limit = max(limit, int64(len(compressed)))
						require.NoError(t, q.Decompress(encoding, iotest.HalfReader(bytes.NewReader(compressed)), limit, int64(len(compressed))))
						require.True(t, bytes.Equal(b, q.Body()))
						assert.LessOrEqual(t, int64(cap(q.Body())), int64(stepFactor*size+minBuffer+8192))
						assert.EqualValues(t, cap(q.Body()), budget.Reserved(), "its body, and nothing else")
						q.End()
					}
					if size > 1 && len(compressed) < size {
						q := budget.Begin()
						err := q.Decompress(encoding, bytes.NewReader(compressed), int64(size-1), 0)
						require.ErrorIs(t, err, ErrTooLong)
						q.End()
					}
					q := budget.Begin()
					if size > 0 && len(compressed) > 12 && encoding != "" {
						require.Error(t, q.Decompress(encoding, bytes.NewReader(compressed[:len(compressed)/2]), 32*mib, 0), "cut off")
					}
					q.End()
					assert.Zero(t, budget.Reserved())
				})
			}
		}
	}
}

// A bomb of any format takes no more than the limit of decompressed bytes, and is refused.
func TestBombs(t *testing.T) {
	const limit = 4 * mib
	zeros := make([]byte, 256*mib)
	gzipped := encode(t, "gzip", zeros[:mib])
	bombs := map[string]struct {
		encoding string
		body     []byte
	}{
		"gzip": {"gzip", encode(t, "gzip", zeros)}, "zlib": {"zlib", encode(t, "zlib", zeros)},
		"members of gzip":  {"gzip", bytes.Repeat(gzipped, 64)},
		"snappy":           {"snappy", encode(t, "snappy", zeros[:64*mib])},
		"frames of snappy": {"x-snappy-framed", encode(t, "x-snappy-framed", zeros)},
		"lz4":              {"lz4", encode(t, "lz4", zeros)},
		"zstd":             {"zstd", encode(t, "zstd", zeros)},
		"frames of zstd":   {"zstd", bytes.Repeat(encode(t, "zstd", zeros[:mib]), 64)},
		// A block that claims a length of 3 GiB, in five bytes.
		"length of snappy":                   {"snappy", []byte{0x80, 0x80, 0x80, 0x80, 0x0c, 0}},
		"length within the limit, of snappy": {"snappy", []byte{0x80, 0x80, 0xc0, 0x01, 0}},
		// A frame with a window of 3.5 TiB, without a content size.
		"window of zstd": {"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0x00, 0x00}},
		// A frame of a single segment that claims 1 TiB.
		"content size of zstd":                   {"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 0x01, 0x00, 0x00}},
		"content size within the limit, of zstd": {"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0x3f, 0, 0x01, 0x00, 0x00}},
	}
	for name, bomb := range bombs {
		t.Run(name, func(t *testing.T) {
			budget := NewBudget(64 * mib)
			run := func() {
				q := budget.Begin()
				err := q.Decompress(bomb.encoding, bytes.NewReader(bomb.body), limit, 0)
				if name != "window of zstd" { // is empty, and within the limit
					require.Error(t, err)
				}
				q.End()
			}
			run() // pools are filled
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			run()
			runtime.ReadMemStats(&after)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(7*limit), "all that was allocated, and mostly was garbage at once")
			assert.Zero(t, budget.Reserved())
		})
	}
}

// stalled returns its bytes and then an error, like a connection that breaks.
func TestSlowHeadersReserveLittle(t *testing.T) {
	budget := NewBudget(64 * mib)
	var held []*Request
	for range 800 {
		q := budget.Begin()
		cut := errors.New("cut")
		require.ErrorIs(t, q.ReadAll(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(cut)), 20*mib, 20*mib), cut)
		held = append(held, q)
	}
	assert.LessOrEqual(t, budget.Reserved(), int64(800*minBuffer))
	for _, q := range held {
		q.End()
	}
	assert.Zero(t, budget.Reserved())
}

// A body that does not fit is refused as soon as that is known, and its reservation is released at once.
func TestBudgetIsReleasedOnRefusal(t *testing.T) {
	budget := NewBudget(4 * mib)
	other := budget.Begin()
	require.NoError(t, other.Hold(5*mib/2))
	q := budget.Begin()
	require.ErrorIs(t, q.ReadAll(bytes.NewReader(make([]byte, mib)), 20*mib, 0), ErrSpent)
	q.End()
	other.End()
	q = budget.Begin()
	require.NoError(t, q.ReadAll(bytes.NewReader(make([]byte, mib)), 20*mib, 0))
	q.End()
	assert.Zero(t, budget.Reserved())
}

func BenchmarkReadAll(b *testing.B) {
	compressed := encode(b, "gzip", bytes.Repeat([]byte("some attributes of a span, again and again; "), 4000))
	budget := NewBudget(64 * mib)
	b.ReportAllocs()
	for b.Loop() {
		q := budget.Begin()
		if err := q.Decompress("gzip", bytes.NewReader(compressed), 20*mib, 0); err != nil {
			b.Fatal(err)
		}
		q.End()
	}
}
