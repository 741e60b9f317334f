package spanlog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// However a segment's bytes change, the log reads, appends, compacts and releases: it reports changed records, and returns nothing in
// their place.
func TestBytesThatChange(t *testing.T) {
	for every := 1; every <= 512; every *= 2 {
		t.Run(fmt.Sprint(every), func(t *testing.T) {
			p := newDiskPool(t, 1_000_000, 1_000_000)
			l := New(p, 0)
			o := origin("resource", "scope")
			written := map[string]bool{}
			chains := make([]Chain, 5)
			appendTo := func(n int) {
				require.NoError(t, p.Reserve(2000, 0))
				body := fmt.Sprintf("%d %0500d", n, n)
				written[body] = true
				l.Append(&chains[n%len(chains)], o, []byte(body))
				p.Cancel(2000)
			}
			for n := range 100 {
				appendTo(n)
			}
			files, err := filepath.Glob(filepath.Join(p.disk.Load().Path(), "*.seg"))
			require.NoError(t, err)
			for _, file := range files {
				content, err := os.ReadFile(file)
				require.NoError(t, err)
				f, err := os.OpenFile(file, os.O_WRONLY, 0)
				require.NoError(t, err)
				for at := format.HeaderSize; at < len(content); at += every {
					_, err := f.WriteAt([]byte{^content[at]}, int64(at))
					require.NoError(t, err)
				}
				require.NoError(t, f.Close())
			}
			damaged := 0
			for i := range chains {
				for r, err := range l.Records(chains[i], nil) {
					if err != nil {
						require.True(t, errors.Is(err, format.ErrDamaged), "%v", err)
						damaged++
						continue
					}
					require.True(t, written[string(r.Body)], "%q", r.Body)
				}
			}
			require.Positive(t, damaged)
			l.Compact(1, true, nil)
			for n := range 20 {
				appendTo(1000 + n)
			}
			for i := range chains {
				l.Release(&chains[i])
			}
			l.Close()
		})
	}
}
