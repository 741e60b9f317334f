package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
)

func TestIdleHourIsSmall(t *testing.T) {
	c := chunk{base: slo.Events{Total: 1 << 40, Bad: 7}}
	require.Len(t, c.append(nil), 1+6+1)
}

// FuzzChunk compares the two readers of a chunk: both accept the same bytes and give the same sums, and an accepted chunk encodes
// to the same bytes.
func FuzzChunk(f *testing.F) {
	c := chunk{base: slo.Events{Total: 300, Bad: 2}}
	c.minutes[3] = slo.Events{Total: 1 << 33, Bad: 1}
	f.Add(c.append(nil))
	f.Add([]byte{})
	f.Add([]byte{chunkFormat})
	f.Add([]byte{chunkFormat, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var c chunk
		if err := c.decode(b); err != nil {
			require.ErrorIs(t, err, state.ErrCorrupt)
			return
		}
		sum := c.base
		for n := range minutesPerHour {
			got, err := eventsBefore(b, n)
			require.NoError(t, err)
			require.Equal(t, sum, got)
			sum = sum.Add(c.minutes[n])
		}
		var again chunk
		require.NoError(t, again.decode(c.append(nil)))
		require.Equal(t, c, again)
	})
}
