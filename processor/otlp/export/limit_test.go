package export

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSizeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reported []int
		l := newSizeLimit(1<<20, func(size int) { reported = append(reported, size) })
		halve := func(request, size int, ok bool) {
			t.Helper()
			got, halved := l.halve(request)
			require.Equal(t, size, got)
			require.Equal(t, ok, halved)
			require.Equal(t, size, l.get())
		}
		require.Equal(t, 1<<20, l.get())
		halve(400_000, 200_000, true)
		halve(900_000, 200_000, true) // sent before the one above was answered
		time.Sleep(growAfter - time.Second)
		require.Equal(t, 200_000, l.get())
		time.Sleep(time.Second)
		require.Equal(t, 400_000, l.get())
		require.Equal(t, 400_000, l.get(), "not at once again")
		halve(100_000, int(minRequest), true)
		halve(int(minRequest), int(minRequest), false)
		halve(1000, int(minRequest), false)
		l.restore(300_000)
		require.Equal(t, 300_000, l.get())
		l.restore(200_000)
		require.Equal(t, 300_000, l.get())
		time.Sleep(24 * time.Hour)
		require.Equal(t, 600_000, l.get())
		time.Sleep(growAfter)
		require.Equal(t, 1<<20, l.get())
		time.Sleep(growAfter)
		require.Equal(t, 1<<20, l.get())
		require.Equal(t, []int{1 << 20, 200_000, 400_000, int(minRequest), 300_000, 600_000, 1 << 20}, reported)
	})
}
