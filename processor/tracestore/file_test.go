package tracestore

import (
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/tracestore/internal/storetest"
)

// read returns the number of spans of each trace in a file, by trace number, in the order of the file, and the errors.
func read(t *testing.T, requests iter.Seq2[[]byte, error]) (order []int, spans map[int]int, errs []error) {
	spans = map[int]int{}
	var u ptrace.ProtoUnmarshaler
	for request, err := range requests {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		td, err := u.UnmarshalTraces(request)
		require.NoError(t, err)
		first := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
		n := storetest.NumberOf(first.TraceID().String())
		order = append(order, n)
		spans[n] = td.SpanCount()
	}
	return order, spans, errs
}

// A store's file contains each trace once, whole, in the order of storing; reading does not change it.
func TestReadFile(t *testing.T) {
	b := opened(t, nil)
	path := filepath.Join(b.writer.path)
	b.storeNow(spans(spec{Trace: 1, ID: 1}, spec{Trace: 2, ID: 1}))
	b.storeNow(spans(spec{Trace: 3, ID: 1}))
	b.storeNow(spans(spec{Trace: 1, ID: 7, Late: true}, spec{Trace: 4, ID: 1})) // late
	_, _, errs := read(t, ReadFile(path))
	require.Len(t, errs, 1)
	require.ErrorIs(t, errs[0], ErrInUse)
	b.writer.close()

	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, IsFile(before[:MagicBytes]))
	for range 2 {
		order, count, errs := read(t, ReadFile(path))
		require.Empty(t, errs)
		assert.ElementsMatch(t, []int{1, 2}, order[:2])
		assert.Equal(t, []int{3, 4}, order[2:])
		assert.Equal(t, map[int]int{1: 2, 2: 1, 3: 1, 4: 1}, count)
	}
	for range ReadFile(path) {
		break // which closes the file
	}
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// Damage is reported, and the records after it are read.
func TestReadFileThatIsDamaged(t *testing.T) {
	b := opened(t, nil)
	for n := range 3 {
		b.storeNow(spans(spec{Trace: n + 1, ID: 1}))
	}
	b.writer.close()
	db, err := bbolt.Open(b.writer.path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte("chunks")).Cursor()
		first, _ := c.First()
		second, _ := c.Next()
		damage := func(key []byte, at func(data []byte) int) error {
			chunk := tx.Bucket([]byte("chunks")).Bucket(key)
			data := append([]byte(nil), chunk.Get([]byte{0})...)
			data[at(data)] ^= 1
			return chunk.Put([]byte{0}, data)
		}
		return errors.Join(
			damage(append([]byte(nil), first...), func([]byte) int { return 6 }),                   // its head
			damage(append([]byte(nil), second...), func(data []byte) int { return len(data) - 1 })) // its record
	}))
	require.NoError(t, db.Close())
	order, _, errs := read(t, ReadFile(b.writer.path))
	require.Len(t, errs, 2)
	for _, err := range errs {
		require.ErrorIs(t, err, ErrDamaged)
	}
	require.Equal(t, []int{3}, order)
}

func TestReadFileThatIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "traces.db")
	_, _, errs := read(t, ReadFile(path))
	require.Len(t, errs, 1)
	require.ErrorIs(t, errs[0], fs.ErrNotExist)
	require.NoFileExists(t, path)

	other, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, other.Close())
	_, _, errs = read(t, ReadFile(path))
	require.Len(t, errs, 1)
	require.ErrorContains(t, errs[0], "format version")
	for begin, want := range map[string]bool{"": false, `{"resourceSpans":[]}     `: false, "\x00\x00\x01\x00": false} {
		require.Equal(t, want, IsFile([]byte(begin)))
	}
}
