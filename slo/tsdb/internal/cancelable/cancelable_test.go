package cancelable_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/slo/tsdb/internal/cancelable"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open fills a database with series of samples a second apart.
func open(t *testing.T, series, samples int) *tsdb.DB {
	db, err := tsdb.Open(t.TempDir(), promslog.NewNopLogger(), nil, tsdb.DefaultOptions(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	app := db.Appender(t.Context())
	for s := range series {
		for i := range samples {
			_, err := app.Append(0, labels.FromStrings("__name__", "a", "b", string(rune('a'+s))), int64(i)*1000, float64(i*s))
			require.NoError(t, err)
		}
	}
	require.NoError(t, app.Commit())
	return db
}

func engine() *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{})})
}

// TestSame: results equal the storage's.
func TestSame(t *testing.T) {
	db := open(t, 3, 2000)
	for _, expr := range []string{"a", "rate(a[1m])", "sum(quantile_over_time(0.5, a[5m]))", "nothing", "max_over_time(a[10m:10s])", "timestamp(a)"} {
		var results []string
		for _, q := range []storage.Queryable{db, cancelable.Queryable{Queryable: db}} {
			query, err := engine().NewRangeQuery(t.Context(), q, nil, expr, time.Unix(0, 0), time.Unix(2000, 0), 7*time.Second)
			require.NoError(t, err)
			result := query.Exec(t.Context())
			require.NoError(t, result.Err)
			results = append(results, result.String())
			query.Close()
		}
		assert.Equal(t, results[0], results[1], expr)
	}
}

// countdown is a context that ends after a number of checks.
type countdown struct {
	context.Context //nolint:containedctx // is one
	looks           *int
}

func (c countdown) Err() error {
	if *c.looks--; *c.looks < 0 {
		return context.Canceled
	}
	return nil
}

// TestEnds: reading ends within a series, too.
func TestEnds(t *testing.T) {
	db := open(t, 1, 2000)
	looks := 10
	q, err := cancelable.Queryable{Queryable: db}.Querier(0, 2_000_000)
	require.NoError(t, err)
	defer func() { require.NoError(t, q.Close()) }()
	set := q.Select(countdown{t.Context(), &looks}, false, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", "a"))
	require.True(t, set.Next())
	it := set.At().Iterator(nil)
	read := 0
	for it.Next() != 0 {
		read++
	}
	require.ErrorIs(t, it.Err(), context.Canceled)
	assert.Less(t, read, 100)
	assert.Positive(t, read)
	assert.Zero(t, it.Seek(1000))
	assert.False(t, set.Next())
	require.ErrorIs(t, set.Err(), context.Canceled)
}
