package recovery

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// fill leaves traces in every state: 1 to 20 pending, 21 to 40 not sampled, 41 to 60 ready, and late spans of 42, which gather.
// With attempt, 41 was delivered and all other ready ones were attempted.
func (p *process) fill(attempt bool) {
	for n := byte(21); n <= 60; n++ {
		p.add(n, 0, n > 40)
		p.add(n, 1, false)
	}
	p.decide()
	if attempt {
		p.out(true, 41)
	}
	p.add(42, 2, false)
	for n := byte(1); n <= 20; n++ {
		p.add(n, 0, n == 1)
	}
}

// After a restart, orderly or not, with the same number of shards or another, everything is as it was: dropped and delivered
// traces stay away, kept ones are ready, late spans are late, and the others wait for a decision.
func TestRestart(t *testing.T) {
	for _, shards := range []int{1, 3, 4} {
		for _, orderly := range []bool{false, true} {
			for _, attempted := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d shards, orderly %v, attempted %v", shards, orderly, attempted), func(t *testing.T) {
					directory := t.TempDir()
					p := start(t, directory, 3)
					p.fill(attempted)
					if !orderly {
						directory = p.crash()
					}
					p.end()
					p = start(t, directory, shards, "another", "more")
					p.checkFilled(attempted)
					p.end()
				})
			}
		}
	}
}

// Recovered spans survive the next start, too, whose number of shards may differ again. With another number everything
// is rewritten to new files, and the old ones are deleted.
func TestRestartAfterRestart(t *testing.T) {
	for _, shards := range [][2]int{{3, 3}, {3, 2}, {2, 3}, {2, 2}, {1, 4}} {
		for _, attempted := range []bool{false, true} {
			t.Run(fmt.Sprint(shards, attempted), func(t *testing.T) {
				directory := t.TempDir()
				p := start(t, directory, 3)
				p.fill(attempted)
				p.end()
				old := append(files(t, directory, ".seg"), files(t, directory, ".jnl")...)
				p = start(t, directory, shards[0])
				p.end()
				now := append(files(t, directory, ".seg"), files(t, directory, ".jnl")...)
				for _, path := range old {
					require.Equal(t, shards[0] == 3, slices.Contains(now, path), path)
				}
				p = start(t, directory, shards[1])
				p.checkFilled(attempted)
				p.end()
			})
		}
	}
}

func (p *process) checkFilled(attempted bool) {
	t := p.t
	kept := 20
	if attempted {
		kept = 19
	}
	st := p.Sum()
	require.EqualValues(t, 20, st.Pending)
	require.EqualValues(t, kept, st.Undelivered)
	require.EqualValues(t, 20+2*kept+1, st.Spans)
	require.EqualValues(t, 20+2*kept+1, p.store.Spans.Load())
	require.EqualValues(t, 20+kept+1, p.store.Traces.Load())
	if attempted {
		require.EqualValues(t, 2*kept, p.store.Repeated.Load())
	} else {
		require.Zero(t, p.store.Repeated.Load())
	}
	require.Zero(t, p.store.Lost.Load())
	require.Zero(t, p.store.TornTails.Load())
	require.Equal(t, p.store.total.Load(), p.store.done.Load())
	for _, entry := range p.logs.All() {
		require.Equal(t, zapcore.InfoLevel, entry.Level, entry.Message)
		require.Equal(t, "buffered spans recovered", entry.Message)
		require.EqualValues(t, 20+2*kept+1, entry.ContextMap()["spans"])
		require.EqualValues(t, 20+kept+1, entry.ContextMap()["traces"])
		require.EqualValues(t, 0, entry.ContextMap()["lost_spans"])
	}
	require.Equal(t, 1, p.logs.Len())
	p.finish()
	got := p.out(false)
	require.Len(t, got, kept)
	require.Equal(t, 2-1, got[42], "two spans, and a late one")
	require.Equal(t, 2, got[60])
	if attempted {
		require.NotContains(t, got, byte(41))
	}
	// Late spans follow decisions from before the restart.
	p.add(21, 5, true)
	require.EqualValues(t, 1, p.Sum().LateDropped)
	p.add(43, 5, true)
	require.EqualValues(t, 1, p.Sum().LateKept)
	p.add(1, 5, false)
	require.EqualValues(t, 20, p.Sum().Pending, "of a trace that is there")
}

// An empty directory is not logged. Journals stay until their rewritten decisions are on the disk.
func TestJournalsStayUntilTheDiskHasOthers(t *testing.T) {
	directory := t.TempDir()
	p := start(t, directory, 3)
	p.fill(true)
	p.end()
	journals := files(t, directory, ".jnl")
	require.NotEmpty(t, journals)
	p = newProcess(t, directory, 2)
	p.store.deleteJournals(p.store.inventory.Journals, func() error { return errors.New("input/output error") })
	require.Equal(t, journals, files(t, directory, ".jnl"))
	require.Equal(t, 1, p.logs.FilterField(zap.String("found",
		"rewritten decisions may not be on the disk; the old journals stay: input/output error")).Len())
	p.store.deleteJournals(p.store.inventory.Journals, func() error { return nil })
	left, err := filepath.Glob(filepath.Join(directory, "*.jnl"))
	require.NoError(t, err)
	require.Empty(t, left)
	p.end()
}

func TestEmptyDirectory(t *testing.T) {
	p := start(t, t.TempDir(), 2)
	require.Zero(t, p.logs.Len())
	require.Equal(t, "reads buffered spans back: 0.0KiB of 0.0KiB (0 %)", p.store.Progress())
	p.end()
}

// A directory belongs to one process.
func TestDirectoryIsTaken(t *testing.T) {
	directory := t.TempDir()
	p := start(t, directory, 1)
	other := NewStore(directory, p.Buffer, p.names, nil)
	require.Error(t, other.Open())
	p.end()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Error(t, NewStore(file, p.Buffer, p.names, nil).Open())
}

// The shards use the seed of the hash that wrote the files.
func TestSeedIsThatOfTheFiles(t *testing.T) {
	directory := t.TempDir()
	p := start(t, directory, 2)
	seed := p.Seed
	p.add(1, 0, false)
	p.end()
	for _, shards := range []int{2, 3} {
		p = start(t, directory, shards)
		require.Equal(t, seed, p.Seed)
		require.EqualValues(t, 1, p.Sum().Pending)
		p.end()
	}
}

// files returns a directory's files with a suffix that are not empty.
func files(t *testing.T, directory, suffix string) (list []string) {
	all, err := filepath.Glob(filepath.Join(directory, "*"+suffix))
	require.NoError(t, err)
	for _, path := range all {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		if len(b) > 8 && string(b[:4]) == "slow" {
			list = append(list, path)
		}
	}
	require.NotEmpty(t, list)
	return list
}

// Unreadable spans are counted and logged, and the others recovered, whether segments stay in place or are copied.
func TestDamage(t *testing.T) {
	for _, shards := range []int{1, 2} {
		for name, tc := range map[string]struct {
			damage         func(t *testing.T, path string, acknowledged []byte)
			late           bool // the files are damaged between the listing of the directory and the recovery
			spans, torn    int64
			level          zapcore.Level
			found          string
			atLeast, total int64 // lost, and lost plus recovered
		}{
			"a span in the middle is not what it was": {
				damage: func(t *testing.T, path string, _ []byte) { flipAt(t, path, filled(t, path)/2) },
				spans:  9, level: zapcore.ErrorLevel, found: "is damaged and was passed over", atLeast: 1, total: 10,
			},
			"the tail is torn": {
				damage: tear, spans: 9, torn: 1, level: zapcore.WarnLevel, found: "and was cut", total: 9,
			},
			"a file is gone": {
				damage: func(t *testing.T, path string, _ []byte) { require.NoError(t, os.Remove(path)) },
				late:   true, level: zapcore.ErrorLevel, found: "cannot read", atLeast: 10,
			},
			"the header is damaged": {
				damage: func(t *testing.T, path string, _ []byte) { flipAt(t, path, 12) },
				spans:  10, level: zapcore.WarnLevel, found: "the header is damaged", total: 10,
			},
		} {
			t.Run(fmt.Sprintf("%s, %d shards", name, shards), func(t *testing.T) {
				p := start(t, t.TempDir(), 1)
				for n := range byte(9) {
					p.add(n+1, 0, false)
				}
				b, err := os.ReadFile(files(t, p.store.directory, ".seg")[0])
				require.NoError(t, err)
				acknowledged := b[usedAt : usedAt+4]
				p.add(10, 0, false)
				directory := p.crash()
				p.end()
				if !tc.late {
					tc.damage(t, files(t, directory, ".seg")[0], acknowledged)
				}
				p = newProcess(t, directory, shards)
				if tc.late {
					tc.damage(t, files(t, directory, ".seg")[0], acknowledged)
				}
				p.recover()
				require.Equal(t, tc.spans, p.store.Spans.Load())
				require.Equal(t, tc.spans, p.Sum().Pending)
				require.Equal(t, tc.torn, p.store.TornTails.Load())
				require.GreaterOrEqual(t, p.store.Lost.Load(), tc.atLeast)
				if tc.total > 0 {
					require.Equal(t, tc.total, p.store.Lost.Load()+p.store.Spans.Load())
				}
				require.Equal(t, 2, p.logs.Len())
				entry := p.logs.All()[0]
				require.Equal(t, "damage in the span log", entry.Message)
				require.Equal(t, tc.level, entry.Level)
				require.Contains(t, entry.ContextMap()["found"], tc.found)
				require.EqualValues(t, p.store.Lost.Load(), entry.ContextMap()["lost_spans"])
				p.end()
			})
		}
	}
}

// filled returns how much of a file is not zero.
func filled(t *testing.T, path string) int {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return len(b)
}

// flipAt changes a bit in a file.
func flipAt(t *testing.T, path string, at int) {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	b[at] ^= 1
	require.NoError(t, os.WriteFile(path, b, 0o600))
}

// tear leaves the last span as if the process ended while it was written: its end is missing, and the header declares everything
// before it whole.
func tear(t *testing.T, path string, acknowledged []byte) {
	n := filled(t, path)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	clear(b[n-5:])
	copy(b[usedAt:], acknowledged)
	require.NoError(t, os.WriteFile(path, b, 0o600))
}

// A segment whose header names a shard that does not exist is copied to those that do.
func TestSegmentOfNoShard(t *testing.T) {
	directory := t.TempDir()
	p := start(t, directory, 2)
	p.add(1, 0, false)
	p.end()
	path := files(t, directory, ".seg")[0]
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	binary.LittleEndian.PutUint32(b[12:], 2)
	binary.LittleEndian.PutUint32(b[56:], crc32.Checksum(b[8:56], crc32.MakeTable(crc32.Castagnoli)))
	require.NoError(t, os.WriteFile(path, b, 0o600))
	p = start(t, directory, 2)
	require.EqualValues(t, 1, p.Sum().Pending)
	require.Zero(t, p.store.Lost.Load())
	p.end()
}

// Files of another format version are moved aside and logged, and the gateway starts without them. The next start does not
// mention them.
func TestOtherFormatVersion(t *testing.T) {
	directory := t.TempDir()
	p := start(t, directory, 2)
	p.fill(false)
	p.end()
	old := append(files(t, directory, ".seg"), files(t, directory, ".jnl")...)
	var bytes int64
	for _, path := range old {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		binary.LittleEndian.PutUint32(b[8:], 1)
		binary.LittleEndian.PutUint32(b[56:], crc32.Checksum(b[8:56], crc32.MakeTable(crc32.Castagnoli)))
		require.NoError(t, os.WriteFile(path, b, 0o600))
		bytes += int64(len(b))
	}
	require.Empty(t, p.store.MovedAside())
	p = start(t, directory, 2)
	require.Equal(t, 1, p.logs.Len())
	entry := p.logs.All()[0]
	require.Equal(t, zapcore.WarnLevel, entry.Level)
	require.Equal(t, "files of another format version moved aside: buffered spans are not read back", entry.Message)
	first := entry.ContextMap()["moved_to"]
	require.Contains(t, files(t, directory, ".format-1"), first)
	require.Equal(t, map[string]any{
		"format_version": "1", "format_version_read": fmt.Sprint(spanlog.FormatVersion),
		"moved_to": first, "files": int64(len(old)), "bytes": bytes, "what_to_do": entry.ContextMap()["what_to_do"],
	}, entry.ContextMap())
	require.Equal(t, fmt.Sprintf("buffered spans are not read back: %d files of format version 1 were moved aside, the first to %s "+
		"(this version of slowburn reads format version %d)", len(old), first, spanlog.FormatVersion), p.store.MovedAside())
	require.Zero(t, p.store.Spans.Load())
	require.Zero(t, p.store.Lost.Load(), "they are there")
	require.Zero(t, p.Pool.Disk())
	require.Len(t, files(t, directory, ".format-1"), len(old))
	p.add(1, 0, false)
	p.end()

	p = start(t, directory, 2)
	require.EqualValues(t, 1, p.Sum().Pending)
	require.Equal(t, 1, p.logs.Len())
	require.Equal(t, "buffered spans recovered", p.logs.All()[0].Message)
	p.end()
}

// unmovable is a filesystem on which files of one version cannot be moved aside.
type unmovable struct{ spanlog.System }

func (u unmovable) Rename(from, to string) error {
	if filepath.Ext(to) == ".format-7" {
		return errors.New("broken")
	}
	return u.System.Rename(from, to)
}

// A failed move fails the start. Earlier moves are logged.
func TestMoveAsideThatFails(t *testing.T) {
	directory := t.TempDir()
	p := start(t, directory, 1)
	p.fill(false)
	p.end()
	segment, journal := files(t, directory, ".seg")[0], files(t, directory, ".jnl")[0]
	older, later := min(segment, journal), max(segment, journal) // the order of the moves
	for path, version := range map[string]byte{older: 1, later: 7} {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		b[8], b[56] = version, b[56]+1
		require.NoError(t, os.WriteFile(path, b, 0o600))
	}
	core, logs := observer.New(zap.DebugLevel)
	st := NewStore(directory, p.Buffer, p.names, zap.New(core))
	st.System = unmovable{spanlog.OS}
	for range 2 { // the directory is released
		require.ErrorContains(t, st.Open(), "cannot move aside the file of format version 7, "+later+": broken")
		require.Equal(t, 1, logs.Len(), "a move is logged once")
	}
	require.FileExists(t, later)
	require.FileExists(t, older+".format-1")
}

// usedAt is the offset of the filled length in a segment's header.
const usedAt = 60

// A whole record that is not a span counts as lost.
func TestRecordThatIsNotASpan(t *testing.T) {
	for _, shards := range []int{1, 2} {
		directory := t.TempDir()
		p := start(t, directory, 1)
		p.add(1, 0, false)
		m := p.Members[0]
		m.Lock()
		var chain spanlog.Chain
		var o spanlog.Origin
		o.Set(nil, nil)
		m.Log.Append(&chain, &o, []byte{0x0a})
		m.Unlock()
		p.end()
		p = start(t, directory, shards)
		require.EqualValues(t, 1, p.store.Lost.Load())
		require.EqualValues(t, 1, p.store.Spans.Load())
		require.EqualValues(t, 1, p.Sum().Pending)
		p.end()
	}
}

// Policies get their present numbers, and with too many names the decisions are still known.
func TestTooManyNames(t *testing.T) {
	directory := t.TempDir()
	p := start(t, directory, 1)
	p.add(1, 0, true)
	p.decide()
	p.end()
	p = newProcess(t, directory, 1)
	p.names = version.NewNames()
	p.store.names = p.names
	for i := range 1<<16 - 2 {
		_, err := p.names.Number(version.Name{Policy: strconv.Itoa(i)})
		require.NoError(t, err)
	}
	p.recover()
	require.EqualValues(t, 1, p.Sum().Undelivered)
	require.Equal(t, "damage in the span log", p.logs.All()[0].Message)
	require.Contains(t, p.logs.All()[0].ContextMap()["found"], "restart")
	p.end()
}

// An interrupted recovery leaves everything in place.
func TestInterrupt(t *testing.T) {
	for _, shards := range []int{2, 3} {
		directory := t.TempDir()
		p := start(t, directory, 2)
		p.fill(true)
		p.end()
		p = newProcess(t, directory, shards)
		p.store.canceled.Store(true)
		p.store.Recover(time.Hour, nil, func() { t.Error("it was interrupted") })
		p.store.Interrupt()
		require.Zero(t, p.store.Spans.Load())
		require.Zero(t, p.logs.Len())
		require.False(t, p.Ready())
		p.end()
		p = start(t, directory, shards)
		p.checkFilled(true)
		p.end()
	}
}

// Recover returns after its timeout, while files are still read back.
func TestRecoverReturnsAfterItsTimeout(t *testing.T) {
	directory := t.TempDir()
	p := start(t, directory, 1)
	p.add(1, 0, false)
	p.end()
	p = newProcess(t, directory, 1)
	require.Regexp(t, `^reads buffered spans back: 0\.0KiB of \d+\.\dKiB \(0 %\)$`, p.store.Progress())
	goOn := make(chan struct{})
	p.store.Recover(0, nil, func() {
		<-goOn
		p.SetReady()
	})
	require.False(t, p.Ready())
	close(goOn)
	p.store.Wait()
	require.True(t, p.Ready())
	require.Regexp(t, `^reads buffered spans back: (\d+\.\dKiB) of \d+\.\dKiB \(100 %\)$`, p.store.Progress())
	require.NoError(t, p.Pool.Sync(), "no callback is needed")
	require.NoError(t, p.Pool.Reserve(1<<16, 0))
	p.end()
}
