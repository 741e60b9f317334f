package tally

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Stages
		s.Add(Decide, 2*time.Second)
		s.Add(Decide, time.Second)
		began := time.Now()
		time.Sleep(time.Minute)
		s.Since(Deliver, began)
		for stage, want := range map[Stage]struct {
			name  string
			calls int64
			took  time.Duration
		}{
			Append: {"append", 0, 0}, Decide: {"decide", 2, 3 * time.Second}, Deliver: {"deliver", 1, time.Minute},
		} {
			calls, took := s.Of(stage)
			require.Equal(t, want.name, stage.String())
			require.Equal(t, want.calls, calls, want.name)
			require.Equal(t, want.took, took, want.name)
		}
	})
}

func TestAgesAreBounded(t *testing.T) {
	var a Ages
	for i := range maxAges + 10 {
		a.AddRemoved(time.Duration(i))
		a.AddLate(time.Duration(2 * i))
	}
	require.Len(t, a.Removed, 4096)
	require.Len(t, a.Late, 4096)
	require.Equal(t, time.Duration(4095), a.Removed[4095])
	require.Equal(t, time.Duration(8190), a.Late[4095])
	a.Reset()
	require.Empty(t, a.Removed)
	require.Empty(t, a.Late)
	require.Equal(t, cap(a.Removed), cap(a.Late), "the memory stays")
	require.Positive(t, cap(a.Late))
	a.AddLate(5)
	require.Equal(t, []time.Duration{5}, a.Late)
}
