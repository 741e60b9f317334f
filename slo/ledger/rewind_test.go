package ledger_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

// An account that was rewound to a minute equals one that ended there, at any minute of an hour.
func TestRewind(t *testing.T) {
	const first = ledger.Minute(600*60 + 10)
	for _, back := range []ledger.Minute{first - 100, first, first + 7, first + 50, first + 60, first + 110, first + 250} {
		t.Run(fmt.Sprint(back-first), func(t *testing.T) {
			db := open(t, filepath.Join(t.TempDir(), "l.db"))
			defer func() { require.NoError(t, db.Close()) }()
			require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
				l := ledger.New(tx)
				long, _, err := l.Open("long", first, "")
				require.NoError(t, err)
				short, _, err := l.Open("short", first, "")
				require.NoError(t, err)
				var deltas []ledger.Delta
				for i := range 200 {
					deltas = append(deltas, ledger.Delta{float64(10 + i), float64(i % 3)})
				}
				require.NoError(t, l.Append(long, first, deltas))
				require.NoError(t, l.Rewind(long, back))
				kept := min(max(back-first, 0), 200)
				require.NoError(t, l.Append(short, first, deltas[:kept]))
				again := []ledger.Delta{{5, 1}, {6, 2}}
				next := min(back, first+200)
				require.Equal(t, next, long.Next)
				require.NoError(t, l.Append(long, next, again))
				require.NoError(t, l.Append(short, max(next, first), again))
				assert.Equal(t, short.Events(), long.Events())
				for from := first - 120; from < first+260; from += 13 {
					a, err := l.Sum(long, from, long.Next)
					require.NoError(t, err)
					var b slo.Events
					if back >= first {
						b, err = l.Sum(short, from, short.Next)
						require.NoError(t, err)
						assert.Equal(t, b, a, from)
					}
				}
				return nil
			}))
		})
	}
}
