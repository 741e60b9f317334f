package budget

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// If the disk fails to store a compressed segment, or to read one back, this is logged, and the segment stays unchanged.
func TestShrinkingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSetup(t, 1, Settings{Compression: Always, OnDisk: true})
		s.fill()
		time.Sleep(time.Second) // an instant of 0 is never
		s.truncate()
		s.shrinkRound()
		compressions, saved, _ := s.Shrunk()
		require.Zero(t, compressions+saved)
		require.Equal(t, 1, s.logs.Len())
		require.Equal(t, "compressing a segment failed; it stays uncompressed", s.logs.All()[0].Message)
		require.EqualValues(t, 40, s.buffer.Sum().Pending)
	})
}

// If the disk fails to store copied records, this is logged, and relief continues.
func TestCompactingFails(t *testing.T) {
	s := newSetup(t, 1, Settings{OnDisk: true})
	for n := range byte(120) {
		s.add(testSpan{trace: n + 1, bytes: 4000, failed: n%10 == 0 || n == 119})
	}
	s.buffer.ReviveUpTo = 0
	s.truncateActive()
	s.relieve(60*4000-s.pool.OverDisk(0, reliefTo), nil)
	require.Equal(t, 1, s.logs.Len())
	require.Equal(t, "compacting segments failed", s.logs.All()[0].Message)
	require.Equal(t, 1, s.relieved)
}

// truncate makes every file fail at the next read, as a failing disk does under mapped memory.
func (s *setup) truncate() {
	files, err := filepath.Glob(filepath.Join(s.path, "*"))
	require.NoError(s.t, err)
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			require.NoError(s.t, os.Truncate(f, 0))
		}
	}
}

// truncateActive makes the segment being written fail at the next store.
func (s *setup) truncateActive() {
	files, err := filepath.Glob(filepath.Join(s.path, "*.seg"))
	require.NoError(s.t, err)
	newest, highest := "", uint64(0)
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(s.t, err)
		if sequence := binary.LittleEndian.Uint64(b[16:]); bytes.HasPrefix(b, []byte("slowspan")) && sequence > highest {
			newest, highest = f, sequence
		}
	}
	require.NoError(s.t, os.Truncate(newest, 0))
}
