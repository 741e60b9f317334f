package readback

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

var indicator = slo.Indicator{Type: slo.PromQL, TotalQuery: "total[{{.window}}]", BadQuery: "bad[{{.window}}]", Resolution: time.Minute}

// database has one event in each minute from a minute on, but for one. It refuses more points than its limit, and minutes before its edge.
type database struct {
	from, edge ledger.Minute
	limit      int
	asked      []int
}

func (d *database) Query(ctx context.Context, expr string, at time.Time) (model.Value, error) {
	return d.QueryRange(ctx, expr, promv1.Range{Start: at, End: at, Step: time.Minute})
}

func (d *database) QueryRange(_ context.Context, _ string, r promv1.Range) (model.Value, error) {
	d.asked = append(d.asked, int(r.End.Sub(r.Start)/time.Minute)+1)
	if d.asked[len(d.asked)-1] > d.limit || ledger.MinuteOf(r.Start) < d.edge {
		return nil, errors.New("refused")
	}
	s := &model.SampleStream{}
	for at := r.Start; !at.After(r.End); at = at.Add(time.Minute) {
		if m := ledger.MinuteOf(at); m >= d.from && m != 4500 {
			s.Values = append(s.Values, model.SamplePair{Timestamp: model.TimeFromUnix(at.Unix()), Value: 1})
		}
	}
	return model.Matrix{s}, nil
}

// TestJob checks what is read of a task: everything from the first measured minute on, or what the database answers.
func TestJob(t *testing.T) {
	for name, c := range map[string]struct {
		db      database
		since   ledger.Minute
		refused string
		steps   int
	}{
		"all of it":               {database{limit: 1000}, 2000, "", 3},
		"what there is":           {database{limit: 1000, from: 4321}, 4321, "", 3},
		"nothing":                 {database{limit: 1000, from: 9999}, 5000, "", 3},
		"in small parts":          {database{limit: 20}, 2000, "", 3 + 200},
		"up to an edge":           {database{limit: 1000, edge: 3990}, 4000, "promql::total: refused", 1 + 3 + maxFailures},
		"a database that is away": {database{}, 5000, "promql::total: refused", 3 + maxFailures},
	} {
		t.Run(name, func(t *testing.T) {
			j := NewJob(Task{From: 2000, Until: 5000}, indicator)
			steps := 0
			for ; !j.Done(); steps++ {
				if err := j.Step(t.Context(), &c.db); err != nil {
					require.ErrorContains(t, err, "refused")
				}
				require.Less(t, steps, 1000)
			}
			task, counts := j.Result()
			assert.Equal(t, c.steps, steps)
			assert.Equal(t, Task{From: 2000, Until: 5000, Done: true, Since: c.since, Refused: c.refused}, task)
			require.Len(t, counts.Deltas, int(5000-c.since))
			require.Len(t, counts.Measured, int(5000-c.since))
			for i, d := range counts.Deltas {
				want := 1.0
				if c.since+ledger.Minute(i) == 4500 {
					want = 0
				}
				require.InDelta(t, want, d.Total, 1e-12, i)
			}
			assert.False(t, task.Pending())
		})
	}
}

// TestTasks checks that tasks are kept by name, and those of other objectives are deleted.
func TestTasks(t *testing.T) {
	db, err := state.Open(filepath.Join(t.TempDir(), "x.db"), state.Options{Buckets: []string{Bucket}})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		for _, name := range []string{"a", "b", "c"} {
			require.NoError(t, Put(tx, name, Task{From: 1, Until: 5}))
		}
		return Keep(tx, func(name string) bool { return name == "b" })
	}))
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		for name, want := range map[string]bool{"a": false, "b": true, "c": false} {
			task, err := Find(tx, name)
			require.NoError(t, err)
			assert.Equal(t, want, task.Pending(), name)
		}
		return nil
	}))
}
