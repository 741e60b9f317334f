package formats

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/otherformat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// database makes a database with a block, whose name it returns, and chunk files of the last hours.
func database(t *testing.T, dir string) (block string) {
	t.Helper()
	db := open(t, dir)
	app := db.Appender(context.Background())
	hour := time.Hour.Milliseconds()
	for at := int64(0); at < 8*hour; at += 15_000 {
		_, err := app.Append(0, labels.FromStrings("__name__", "m"), at, float64(at))
		require.NoError(t, err)
	}
	require.NoError(t, app.Commit())
	require.NoError(t, db.Compact(t.Context()))
	require.NotEmpty(t, db.Blocks())
	block = filepath.Base(db.Blocks()[0].Dir())
	require.NoError(t, db.Close())
	return block
}

func open(t *testing.T, dir string) *tsdb.DB {
	t.Helper()
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = 0
	db, err := tsdb.Open(dir, nil, nil, opts, nil)
	require.NoError(t, err)
	return db
}

// edit changes the only file that matches.
func edit(t *testing.T, pattern string, change func(b []byte) []byte) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, paths, pattern)
	b, err := os.ReadFile(paths[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(paths[0], change(b), 0o600))
}

// versionAt sets the version of a file that begins with four bytes of magic.
func versionAt(version byte) func([]byte) []byte {
	return func(b []byte) []byte { b[4] = version; return b }
}

// Parts of another version are moved aside, and Prometheus opens the others. Damaged parts are left to Prometheus.
func TestMoveAside(t *testing.T) {
	const head = "chunks_head"
	for name, c := range map[string]struct {
		file    string // below the block, or below the database's directory if it begins with /
		change  func([]byte) []byte
		version otherformat.Version // 0 if nothing is moved
	}{
		"as it was":            {"index", func(b []byte) []byte { return b }, 0},
		"meta":                 {"meta.json", func(b []byte) []byte { return fmt.Appendf(nil, `{"version": 2, "ulid": %q}`, b) }, 2},
		"meta of no version":   {"meta.json", func([]byte) []byte { return []byte(`{}`) }, 0},
		"meta that is no JSON": {"meta.json", func([]byte) []byte { return []byte(`{"version": `) }, 0},
		"index":                {"index", versionAt(4), 4},
		"index that is read":   {"index", versionAt(3), 0},
		"index without magic":  {"index", func(b []byte) []byte { b[0], b[4] = 0, 9; return b }, 0},
		"index cut off":        {"index", func(b []byte) []byte { return b[:4] }, 0},
		"tombstones":           {"tombstones", versionAt(2), 2},
		"chunks":               {"chunks/000001", versionAt(2), 2},
		"other files":          {"chunks/000001.format-2", versionAt(2), 0},
		"head":                 {"/" + head + "/0*", versionAt(7), 7},
		"head of zeros":        {"/" + head + "/0*", func(b []byte) []byte { return make([]byte, len(b)) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			block := database(t, dir)
			require.NoError(t, os.WriteFile(filepath.Join(dir, block, "chunks", "000001.format-2"), []byte("\x85\xbd\x40\xdd\x01"), 0o600))
			name := block
			path := filepath.Join(dir, block, c.file)
			if c.file[0] == '/' {
				name, path = head, filepath.Join(dir, c.file)
			}
			edit(t, path, c.change)
			moved, err := MoveAside(dir)
			require.NoError(t, err)
			if c.version == 0 {
				assert.Empty(t, moved)
				return
			}
			aside := fmt.Sprintf("%s.format-%d", filepath.Join(dir, name), c.version)
			require.Len(t, moved, 1)
			assert.Positive(t, moved[0].Bytes)
			moved[0].Bytes = 0
			assert.Equal(t, []otherformat.Moved{{Version: c.version, Path: aside, Files: 1}}, moved)
			assert.DirExists(t, aside)
			assert.NoDirExists(t, filepath.Join(dir, name))

			moved, err = MoveAside(dir)
			require.NoError(t, err)
			assert.Empty(t, moved, "nothing is moved twice")
			require.NoError(t, open(t, dir).Close())
		})
	}
	_, err := MoveAside(filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}
