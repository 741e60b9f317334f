package engine

import (
	"context"
	"errors"
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

// A thousand objectives are evaluated each minute, although a hundred hang, others have too many samples, and all begin at once.
func TestAThousandObjectivesOfWhichAHundredHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var yaml strings.Builder
		yaml.WriteString("objectives:\n  - {name: spans, target: 99, availability: {}}\n")
		db := newFakeTSDB()
		for i := range 1000 {
			metric := fmt.Sprint("fast", i)
			switch i % 10 {
			case 3:
				metric = fmt.Sprint("hung", i)
			case 7:
				metric = fmt.Sprint("refused", i) // the database does not know it: an error at once
			default:
				db.exprs["sum(increase("+metric+"[1m]))"] = func(time.Time) model.Value { return model.Vector{{Value: 1}} }
			}
			q := "sum(increase(" + metric + "[{{.window}}]))"
			fmt.Fprintf(&yaml, "  - {name: %s, target: 99, promql: {bad: '%s', total: '%s', resolution: 1m}}\n", metric, q, q)
		}
		e := created(t, parse(t, yaml.String()))
		require.NoError(t, e.Start(t.Context(), fakeHost{component.MustNewID("tsdb"): struct {
			component.Component
			Querier
		}{db, partlyHanging{db}}}))
		for minute := range 7 {
			time.Sleep(time.Minute)
			synctest.Wait()
			if minute < 3 {
				continue // until those that hang are known: four at a time, two seconds each
			}
			for _, s := range e.Statuses().Objectives {
				switch {
				case strings.HasPrefix(s.Name, "hung"), strings.HasPrefix(s.Name, "refused"):
					assert.Equal(t, StateError, s.State, s.Name)
				default:
					require.NotNil(t, s.EvaluatedUntil, s.Name)
					assert.LessOrEqual(t, time.Since(*s.EvaluatedUntil), 2*time.Minute, s.Name)
					assert.NotEqual(t, StateError, s.State, s.Name)
				}
			}
		}
		for i := range 1000 { // those that were refused are answered within a minute of their recovery
			if i%10 == 7 {
				db.recover(fmt.Sprintf("sum(increase(refused%d[1m]))", i))
			}
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		for _, s := range e.Statuses().Objectives {
			if strings.HasPrefix(s.Name, "refused") {
				assert.Equal(t, StateOK, s.State, "%s: %s", s.Name, s.Message)
			}
		}
		closeIt(t, e)
	})
}

// recover gives an expression the value 1.
func (f *fakeTSDB) recover(expr string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.exprs[expr] = func(time.Time) model.Value { return model.Vector{{Value: 1}} }
}

// A query that is answered within its timeout, but takes half a minute's share of it, is evaluated each minute and delays nobody.
func TestAQueryThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newFakeTSDB()
		one := func(time.Time) model.Value { return model.Vector{{Value: 1}} }
		db.exprs["sum(increase(fast[1m]))"], db.exprs["sum(increase(long[1m]))"] = one, one
		e := created(t, parse(t, `
objectives:
  - {name: long, target: 99, promql: {bad: 'sum(increase(long[{{.window}}]))', total: 'sum(increase(long[{{.window}}]))', resolution: 1m}}
  - {name: fast, target: 99, promql: {bad: 'sum(increase(fast[{{.window}}]))', total: 'sum(increase(fast[{{.window}}]))', resolution: 1m}}`))
		require.NoError(t, e.Start(t.Context(), fakeHost{component.MustNewID("tsdb"): struct {
			component.Component
			Querier
		}{db, partlyLong{db}}}))
		time.Sleep(5 * time.Minute)
		for range 20 {
			time.Sleep(time.Minute)
			synctest.Wait()
			for name, within := range map[string]time.Duration{"fast": 80 * time.Second, "long": 2 * time.Minute} {
				s, _ := e.Status(name)
				require.NotNil(t, s.EvaluatedUntil, name)
				assert.LessOrEqual(t, time.Since(*s.EvaluatedUntil), within, name)
				assert.Equal(t, StateOK, s.State, "%s: %s", name, s.Message)
			}
		}
		closeIt(t, e)
	})
}

// partlyLong is a database that takes ten seconds to answer queries for metrics that take long.
type partlyLong struct{ *fakeTSDB }

func (p partlyLong) Query(ctx context.Context, expr string, at time.Time) (model.Value, error) {
	if strings.Contains(expr, "long") {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(10 * time.Second):
		}
	}
	return p.fakeTSDB.Query(ctx, expr, at)
}

func (p partlyLong) QueryRange(ctx context.Context, expr string, r promv1.Range) (model.Value, error) {
	if _, err := p.Query(ctx, expr, r.End); err != nil && ctx.Err() != nil {
		return nil, err
	}
	return p.fakeTSDB.QueryRange(ctx, expr, r)
}

// A PromQL objective catches up although the database refuses the queries of all minutes at once.
func TestTooManySamplesForACatchUp(t *testing.T) {
	db := newFakeTSDB()
	db.exprs["sum(increase(p[1m]))"] = func(time.Time) model.Value { return model.Vector{{Value: 1}} }
	c := parse(t, `objectives: [{name: p, target: 99, promql: {bad: 'sum(increase(p[{{.window}}]))', total: 'sum(increase(p[{{.window}}]))', resolution: 1m}}]`)
	e := openAt(t, c, limited{db}, noon)
	defer closeIt(t, e)
	for range 8 {
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(20*time.Hour+c.Lateness), true, true)))
	}
	s, _ := e.Status("p")
	assert.Equal(t, StateOK, s.State, s.Message)
	assert.EqualValues(t, 1200, s.Events.Total)
}

// limited refuses queries of more than an hour.
type limited struct{ *fakeTSDB }

func (l limited) QueryRange(ctx context.Context, expr string, r promv1.Range) (model.Value, error) {
	if r.End.Sub(r.Start) > time.Hour {
		return nil, errors.New("query processing would load too many samples into memory")
	}
	return l.fakeTSDB.QueryRange(ctx, expr, r)
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
