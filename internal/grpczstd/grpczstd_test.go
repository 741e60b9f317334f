package grpczstd

import (
	"bytes"
	"io"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/encoding"
)

// Compressed messages decompress to the original, also concurrently, and after a reader got bad bytes.
func TestRoundTrip(t *testing.T) {
	c := encoding.GetCompressor(name)
	require.IsType(t, &compressor{}, c)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			want := bytes.Repeat([]byte{byte(n), 1, 2, 3}, 100_000)
			var b bytes.Buffer
			w, err := c.Compress(&b)
			assert.NoError(t, err)
			_, err = w.Write(want)
			assert.NoError(t, err)
			assert.NoError(t, w.Close())
			for _, body := range [][]byte{b.Bytes(), []byte("no zstd at all"), b.Bytes()[:b.Len()/2], b.Bytes()} {
				r, err := c.Decompress(bytes.NewReader(body))
				if !assert.NoError(t, err) {
					return
				}
				got, err := io.ReadAll(r)
				if err == nil {
					assert.True(t, bytes.Equal(want, got))
				} else {
					assert.NotEqual(t, b.Len(), len(body))
				}
				assert.NoError(t, r.(io.Closer).Close())
			}
		})
	}
	wg.Wait()
}

// A window over the limit is refused before it is allocated; a default encoder's is accepted.
func TestWindow(t *testing.T) {
	c := encoding.GetCompressor(name)
	r, err := c.Decompress(bytes.NewReader([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00})) // of 2 GiB
	require.NoError(t, err)
	_, err = io.ReadAll(r)
	require.ErrorIs(t, err, zstd.ErrWindowSizeExceeded)
	require.NoError(t, r.(io.Closer).Close())

	want := bytes.Repeat([]byte("large "), 4<<20)
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	require.NoError(t, err)
	_, err = w.Write(want)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	r, err = c.Decompress(&b)
	require.NoError(t, err)
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got))
}
