package intake

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzDecompress checks the bounds of each content encoding: the result is within the limit and the budget, everything is
// released, and an accepted body is accepted again with the same bytes, however it arrives.
func FuzzDecompress(f *testing.F) {
	names := slices.Sorted(maps.Keys(encoders))
	for i, name := range names {
		f.Add(uint8(i), encode(f, name, bytes.Repeat([]byte("spans "), 200)))
		f.Add(uint8(i), encode(f, name, nil))
	}
	f.Fuzz(func(t *testing.T, encoding uint8, compressed []byte) {
		const limit, all = 256 << 10, 64 << 20
		name := names[int(encoding)%len(names)]
		budget := NewBudget(all)
		decompress := func(r io.Reader) ([]byte, error) {
			q := budget.Begin()
			defer q.End()
			err := q.Decompress(name, r, limit, 0)
			require.LessOrEqual(t, budget.Reserved(), int64(all))
			if err != nil {
				return nil, err
			}
			require.LessOrEqual(t, len(q.Body()), limit)
			return bytes.Clone(q.Body()), nil
		}
		once, err := decompress(bytes.NewReader(compressed))
		again, errAgain := decompress(slowReader{bytes.NewReader(compressed)})
		require.Equal(t, err == nil, errAgain == nil, "%v, and then %v", err, errAgain)
		require.Equal(t, once, again)
		require.Zero(t, budget.Reserved())
	})
}

// slowReader reads seven bytes at a time.
type slowReader struct{ r io.Reader }

func (s slowReader) Read(b []byte) (int, error) { return s.r.Read(b[:min(7, len(b))]) }
