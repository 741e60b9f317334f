//go:build e2e

package e2e

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// fileFormat is a kind of file, with the function that gives a file the next format version.
type fileFormat struct {
	pattern   string // below the data directory
	component string // reports the missing data in /readyz
	missing   string
	row       string // row of the table in the docs, up to the version
	next      func(t *testing.T, path string) (version uint64)
	// whole reports whether the file's directory is moved, not only the file.
	whole bool
}

var fileFormats = []fileFormat{
	{pattern: "spans/*.seg", component: "tail_sampling", missing: "buffered spans are not read back",
		row: "| `spans/*.seg`, `*.pak` | %d |", next: nextSpanlog},
	{pattern: "spans/*.jnl", component: "tail_sampling", missing: "buffered spans are not read back", row: "| `spans/*.jnl` | %d |", next: nextSpanlog},
	{pattern: "sli.*.counts", component: "sli", missing: "counting began anew", row: "| `sli.N.counts` | %d |", next: nextCounts},
	{pattern: "slo.db", component: "slo", missing: "budgets start anew", row: "| `slo.db` | %d |", next: nextBolt},
	{pattern: "traces.db", component: "trace_store", missing: "traces stored before are not shown", row: "| `traces.db` | %d |", next: nextBolt},
	{pattern: "tsdb/chunks_head/0*", component: "tsdb", missing: "samples stored in them are not queried", row: "| `tsdb/chunks_head/` | %d |",
		next: nextByte, whole: true},
	{pattern: "tsdb/01FORMAT0000000000000000XX/index", component: "tsdb", missing: "samples stored in them are not queried",
		row: "| `tsdb/` blocks | 1, of an index 1 to %d |", next: nextByte, whole: true},
}

// A gateway starts without files of another format version, and reports the missing data and the new place of the files. It does so at
// each start that finds such files, and not after they were moved.
func TestOtherFormats(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	docs, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	g := newGateway(t, builtGateway(t), []string{"SLOWBURN_DATA_DIR=" + dir, "SLOWBURN_BACKEND=" + freePort(t)}, "testdata/damage.yaml")
	for round, again := range []string{"", "-2"} {
		g.start(t)
		use := &usage{client: g.client(t), made: newTraffic(uint64(3 + round))}
		require.Eventually(t, func() bool {
			use.all(t, g)
			for _, f := range fileFormats {
				if !strings.Contains(f.pattern, "01FORMAT") && inUse(dir, f.pattern) == "" {
					return false
				}
			}
			return true
		}, patience, 100*time.Millisecond)
		require.NoError(t, g.cmd.Process.Signal(syscall.SIGKILL))
		<-g.done

		block := filepath.Join(dir, "tsdb", "01FORMAT0000000000000000XX")
		require.NoError(t, os.MkdirAll(block, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(block, "index"), []byte("\xba\xaa\xd7\x00\x03"), 0o600))
		moved := make([]string, len(fileFormats))
		for i, f := range fileFormats {
			path := inUse(dir, f.pattern)
			version := f.next(t, path)
			assert.Contains(t, string(docs), fmt.Sprintf(f.row, version-1), "docs/operations.md")
			if f.whole {
				path = filepath.Dir(path)
			}
			moved[i] = fmt.Sprintf("%s.format-%d", path, version)
			if _, err := os.Lstat(moved[i]); err == nil {
				require.NotEmpty(t, again)
				moved[i] += again
			}
			require.NoFileExists(t, moved[i])
		}

		g.start(t)
		text, err := os.ReadFile(g.log)
		require.NoError(t, err)
		ready := g.readyz(t)
		assert.Equal(t, http.StatusOK, ready.status)
		for i, f := range fileFormats {
			_, err := os.Lstat(moved[i])
			require.NoError(t, err, "the file was not moved")
			assert.Contains(t, ready.message(f.component), f.missing)
			// The message names the first of several files.
			if strings.HasPrefix(f.pattern, "spans/") {
				assert.Regexp(t, `\.(seg|jnl)\.format-\d`, ready.message(f.component))
				assert.Regexp(t, `files of another format version moved aside: `+f.missing, string(text))
				continue
			}
			assert.Contains(t, ready.message(f.component), moved[i])
			assert.Contains(t, string(text), moved[i])
		}
		use = &usage{client: g.client(t), made: newTraffic(uint64(13 + round))}
		use.all(t, g)
		assert.False(t, use.refusedLast)
		g.stop(t)
	}
	g.start(t)
	for _, c := range g.readyz(t).Components {
		if c.ID != "sli" { // sli reports it for a day
			assert.NotContains(t, c.Message, ".format-", c.ID)
		}
	}
	g.stop(t)
}

// nextSpanlog follows docs/spanlog-format.md.
func nextSpanlog(t *testing.T, path string) uint64 {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	version := binary.LittleEndian.Uint32(b[8:]) + 1
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint32(b[56:], crc32.Checksum(b[8:56], crc32.MakeTable(crc32.Castagnoli)))
	writeOver(t, path, b[:64])
	return uint64(version)
}

// nextCounts follows slo/sli/internal/place/format.go.
func nextCounts(t *testing.T, path string) uint64 {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	version, length := binary.LittleEndian.Uint32(b[8:])+1, binary.LittleEndian.Uint32(b[12:])
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint32(b[length:], crc32.Checksum(b[:length], crc32.MakeTable(crc32.Castagnoli)))
	writeOver(t, path, b[:length+4])
	return uint64(version)
}

// nextBolt follows internal/state.
func nextBolt(t *testing.T, path string) (version uint64) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		meta := tx.Bucket([]byte("meta"))
		version = binary.BigEndian.Uint64(meta.Get([]byte("schema_version"))) + 1
		return meta.Put([]byte("schema_version"), binary.BigEndian.AppendUint64(nil, version))
	}))
	require.NoError(t, db.Close())
	return version
}

// nextByte follows Prometheus' files, which have four bytes of magic, and one of version.
func nextByte(t *testing.T, path string) uint64 {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	b[4]++
	writeOver(t, path, b[:5])
	return uint64(b[4])
}

// Each file of the gateway on the disk has a version that TestOtherFormats tests, or has none.
func TestFilesHaveVersions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	g := newGateway(t, builtGateway(t), []string{"SLOWBURN_DATA_DIR=" + dir, "SLOWBURN_BACKEND=" + freePort(t)}, "testdata/damage.yaml")
	g.start(t)
	use := &usage{client: g.client(t), made: newTraffic(5)}
	for range 20 {
		use.all(t, g)
	}
	g.stop(t)
	// Locks, the list of running queries and Prometheus' write-ahead log have no version.
	without := regexp.MustCompile(`^(slowburn\.lock|spans/LOCK|sli\.lock|tsdb/lock|tsdb/queries\.active|tsdb/w[ab]l/.*)$`)
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		if entry.IsDir() || without.MatchString(name) {
			return nil
		}
		for _, f := range fileFormats {
			if ok, err := filepath.Match(f.pattern, name); ok && err == nil {
				return nil
			}
		}
		if !regexp.MustCompile(`^spans/\w+\.pak$`).MatchString(name) { // has the version of a segment
			t.Errorf("%s has no row in the table of formats", name)
		}
		return nil
	}))
}
