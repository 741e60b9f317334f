package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
)

// partlyHanging is a database that never answers queries for metrics that hang.
type partlyHanging struct{ *fakeTSDB }

func (p partlyHanging) Query(ctx context.Context, expr string, at time.Time) (model.Value, error) {
	if strings.Contains(expr, "hung") {
		return hanging{}.Query(ctx, expr, at)
	}
	return p.fakeTSDB.Query(ctx, expr, at)
}

func (p partlyHanging) QueryRange(ctx context.Context, expr string, r promv1.Range) (model.Value, error) {
	if strings.Contains(expr, "hung") {
		return hanging{}.Query(ctx, expr, r.End)
	}
	return p.fakeTSDB.QueryRange(ctx, expr, r)
}

// Objectives are evaluated however many queries of others hang.
func TestSlowQueriesDelayNoObjective(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var yaml strings.Builder
		yaml.WriteString("objectives:\n  - {name: spans, target: 99, availability: {}}\n")
		const expr = "sum(increase(%s[{{.window}}]))"
		add := func(name, metric string) {
			q := fmt.Sprintf(expr, metric)
			fmt.Fprintf(&yaml, "  - {name: %s, target: 99, promql: {bad: '%s', total: '%s', resolution: 1m}}\n", name, q, q)
		}
		for i := range 40 {
			add(fmt.Sprint("hung", i), fmt.Sprint("hung", i))
		}
		add("fast", "fast")
		db := newFakeTSDB()
		db.exprs["sum(increase(fast[1m]))"] = func(time.Time) model.Value { return model.Vector{{Value: 1}} }
		e := created(t, parse(t, yaml.String()))
		require.NoError(t, e.Start(t.Context(), fakeHost{component.MustNewID("tsdb"): struct {
			component.Component
			Querier
		}{db, partlyHanging{db}}}))
		time.Sleep(15 * time.Minute) // until the hanging ones are known and wait; how many of them run per minute is random
		for range 20 {
			time.Sleep(time.Minute)
			synctest.Wait()
			for _, name := range []string{"spans", "fast"} {
				s, ok := e.Status(name)
				require.True(t, ok)
				if until := s.EvaluatedUntil; assert.NotNil(t, until, name) {
					assert.LessOrEqual(t, time.Since(*until), 4*time.Minute, name)
				}
				assert.NotEqual(t, StateError, s.State, name)
			}
		}
		s, _ := e.Status("hung39")
		assert.Equal(t, StateError, s.State)
		closeIt(t, e)
	})
}
