package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/slowburn/slowburn/slo/alert"
)

const day = 24 * time.Hour

// pastOf is a database that has 100 events a minute from a time on, of which a half is bad for an hour two days before noon. It is asked for
// the metrics p and q.
func pastOf(from time.Time) *fakeTSDB {
	db := newFakeTSDB()
	outage := noon.Add(-2 * day)
	give := func(value func(at time.Time) float64) func(time.Time) model.Value {
		return func(at time.Time) model.Value {
			if !at.After(from) {
				return model.Vector{}
			}
			return model.Vector{{Value: model.SampleValue(value(at))}}
		}
	}
	bad := func(at time.Time) float64 {
		if at.After(outage) && !at.After(outage.Add(time.Hour)) {
			return 50
		}
		return 0
	}
	for metric, factor := range map[string]float64{"p": 1, "q": 2} {
		db.exprs["sum(increase("+metric+"[1m]))"] = give(func(time.Time) float64 { return 100 * factor })
		db.exprs["sum(increase("+metric+"_bad[1m]))"] = give(func(at time.Time) float64 { return bad(at) * factor })
	}
	return db
}

// counting is the configuration of an objective that counts a metric.
func counting(t testing.TB, metric string) *Config {
	return parse(t, fmt.Sprintf(`
objectives: [{name: o, target: 99, window: 7d, promql: {bad: 'sum(increase(%[1]s_bad[{{.window}}]))', total: 'sum(increase(%[1]s[{{.window}}]))', resolution: 1m}}]
receivers: [{name: all, webhook: {endpoint: "http://127.0.0.1:1/"}}]`, metric))
}

// live evaluates minute by minute.
func live(t testing.TB, e *Extension, from, to time.Time) {
	t.Helper()
	for at := from; !at.After(to); at = at.Add(time.Minute) {
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(at.Add(e.config.Lateness), true, true)))
	}
}

// readAll reads back until there is nothing left to read, and returns the number of steps.
func readAll(t testing.TB, e *Extension, now time.Time) (steps int) {
	t.Helper()
	for ; ; steps++ {
		made, err := e.evaluator.readBack(t.Context(), time.Minute, now)
		require.NoError(t, err)
		if !made {
			return steps
		}
		require.Less(t, steps, 100)
	}
}

// A new objective has the events of its window, as far back as the database goes, minute by minute as if it had always been evaluated.
// Nothing of it is notified.
func TestNewObjectiveReadsItsWindowBack(t *testing.T) {
	for from, want := range map[time.Duration]string{
		30 * day: "",
		3 * day:  "Counted since 2026-02-26T12:00:00Z, as far back as the time series database goes.",
		0:        "Counted since 2026-03-01T12:00:00Z, as far back as the time series database goes.",
	} {
		db := pastOf(noon.Add(-from))
		e := openAt(t, counting(t, "p"), db, noon)
		require.Zero(t, readAll(t, e, noon), "only after the first minute")
		live(t, e, noon.Add(time.Minute), noon.Add(5*time.Minute))
		s, _ := e.Status("o")
		assert.EqualValues(t, 500, s.Events.Total)
		assert.Equal(t, "Events before 2026-03-01T12:00:00Z are being read back from the time series database.", s.Message)
		steps := readAll(t, e, noon.Add(5*time.Minute))
		assert.Equal(t, 11, steps, "a thousand minutes at a time")
		s, _ = e.Status("o")
		assert.Equal(t, want, s.Message)
		assert.Equal(t, StateOK, s.State)
		began := noon.Add(-min(from, 7*day))
		assert.Equal(t, began, *s.CountedSince)
		if from > 0 {
			assert.EqualValues(t, 60*50, s.Events.Bad)
		}
		assert.Equal(t, alert.Inactive, s.Alert.State)

		always := openAt(t, counting(t, "p"), db, began)
		require.NoError(t, always.evaluator.evaluate(t.Context(), believed(noon.Add(5*time.Minute+e.config.Lateness), true, true)))
		for _, x := range []*Extension{e, always} {
			live(t, x, noon.Add(6*time.Minute), noon.Add(9*time.Minute))
		}
		end := noon.Add(time.Hour)
		assert.Equal(t, minuteCounts(t, always, "o", began, end), minuteCounts(t, e, "o", began, end))
		one, _ := always.Status("o")
		other, _ := e.Status("o")
		assert.Equal(t, one.BurnRates, other.BurnRates)
		assert.Equal(t, one.Budget, other.Budget)
		assert.Empty(t, told(t, e), "what is past")
		closeIt(t, always)
		closeIt(t, e)
	}
}

// A restart, or a failed transaction, begins the reading anew; what is read is in the ledger once.
func TestReadBackAfterARestart(t *testing.T) {
	db := pastOf(noon.Add(-3 * day))
	c := counting(t, "p")
	e := openAt(t, c, db, noon)
	live(t, e, noon.Add(time.Minute), noon.Add(2*time.Minute))
	for range 4 {
		made, err := e.evaluator.readBack(t.Context(), time.Minute, noon)
		require.NoError(t, err)
		require.True(t, made)
	}
	closeIt(t, e)
	e = openAt(t, c, db, noon.Add(time.Hour))
	live(t, e, noon.Add(time.Hour), noon.Add(time.Hour))
	assert.Equal(t, 11, readAll(t, e, noon.Add(time.Hour)))
	s, _ := e.Status("o")
	want := uint64(100 * (3*24*60 + 60))
	assert.Equal(t, want, s.Events.Total)
	closeIt(t, e)
	e = openAt(t, c, db, noon.Add(time.Hour))
	defer closeIt(t, e)
	assert.Zero(t, readAll(t, e, noon.Add(time.Hour)), "it is done")
	s, _ = e.Status("o")
	assert.Equal(t, want, s.Events.Total)
}

// An edited objective counts its window by the new queries, as far back as they give something; before that it keeps what it had.
func TestEditedObjectiveReadsItsWindowBack(t *testing.T) {
	db := pastOf(noon.Add(-4 * day))
	c := counting(t, "p")
	e := openAt(t, c, db, noon.Add(-6*day))
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(c.Lateness), true, true)))
	readAll(t, e, noon)
	before := told(t, e)
	require.NotEmpty(t, before, "it was there during the outage")
	closeIt(t, e)

	edited := counting(t, "q")
	edited.Directory = c.Directory
	since := noon.Add(-day)
	for _, metric := range []string{"q", "q_bad"} { // which began later
		was := db.exprs["sum(increase("+metric+"[1m]))"]
		db.exprs["sum(increase("+metric+"[1m]))"] = func(at time.Time) model.Value {
			if !at.After(since) {
				return model.Vector{}
			}
			return was(at)
		}
	}
	e = openAt(t, edited, db, noon.Add(time.Minute))
	defer closeIt(t, e)
	live(t, e, noon.Add(2*time.Minute), noon.Add(4*time.Minute))
	s, _ := e.Status("o")
	assert.Contains(t, s.Message, "are being read back")
	readAll(t, e, noon)
	s, _ = e.Status("o")
	assert.Equal(t, "The indicator was changed: events before 2026-02-28T12:00:00Z counted something else.", s.Message)
	assert.EqualValues(t, 100*(3*24*60)+200*(24*60+4), s.Events.Total)
	assert.EqualValues(t, 60*50, s.Events.Bad)
	assert.Equal(t, before, told(t, e))
}

// refusing is a database that refuses ranges before a time, and those that are longer than an hour.
type refusing struct {
	*fakeTSDB
	from time.Time
}

func (r refusing) QueryRange(ctx context.Context, expr string, over promv1.Range) (model.Value, error) {
	switch {
	case over.End.Sub(over.Start) > time.Hour:
		return nil, errors.New("too many samples")
	case over.Start.Before(r.from):
		return nil, errors.New("the query is longer than the limit")
	}
	return r.fakeTSDB.QueryRange(ctx, expr, over)
}

// A database that refuses long ranges is asked for short ones, and one that refuses the far past for what it has. An objective that
// cannot be evaluated waits, and so does one of which a query just failed.
func TestReadBackOfWhatTheDatabaseAnswers(t *testing.T) {
	db := pastOf(noon.Add(-3 * day))
	e := openAt(t, counting(t, "p"), refusing{db, noon.Add(-2 * time.Hour)}, noon)
	defer closeIt(t, e)
	live(t, e, noon.Add(time.Minute), noon.Add(time.Minute))
	for m := 2; m < 20; m++ {
		readAll(t, e, noon)
		live(t, e, noon.Add(time.Duration(m)*time.Minute), noon.Add(time.Duration(m)*time.Minute))
	}
	s, _ := e.Status("o")
	assert.Contains(t, s.Message, "as far back as the time series database answers: promql::total: the query is longer than the limit.")
	assert.InDelta(t, 100*120, float64(s.Events.Total), 100*40, "up to fifteen minutes are missing, and nineteen came")
	assert.WithinDuration(t, noon.Add(-2*time.Hour), *s.CountedSince, 15*time.Minute)

	db.fail(errors.New("away"))
	e2 := openAt(t, counting(t, "p"), db, noon)
	defer closeIt(t, e2)
	live(t, e2, noon.Add(time.Minute), noon.Add(3*time.Minute))
	assert.Zero(t, readAll(t, e2, noon))
}

// Reading back delays no evaluation, however slow it is, and ends by itself.
func TestReadingBackDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		db := newFakeTSDB()
		one := func(time.Time) model.Value { return model.Vector{{Value: 1}} }
		db.exprs["sum(increase(p[1m]))"], db.exprs["sum(increase(p_bad[1m]))"] = one, one
		e := created(t, counting(t, "p"))
		require.NoError(t, e.Start(t.Context(), fakeHost{component.MustNewID("tsdb"): struct {
			component.Component
			Querier
		}{db, slowPast{db, started}}}))
		for range 30 {
			time.Sleep(time.Minute)
			synctest.Wait()
			s, _ := e.Status("o")
			if until := s.EvaluatedUntil; time.Since(started) > 3*time.Minute && assert.NotNil(t, until) {
				assert.LessOrEqual(t, time.Since(*until), 80*time.Second)
			}
		}
		s, _ := e.Status("o")
		assert.Empty(t, s.Message)
		assert.EqualValues(t, 7*24*60, s.Events.Total)
		closeIt(t, e)
	})
}

// slowPast is a database that takes 8 seconds for a query of the past.
type slowPast struct {
	*fakeTSDB
	past time.Time
}

func (s slowPast) QueryRange(ctx context.Context, expr string, r promv1.Range) (model.Value, error) {
	if r.Start.Before(s.past) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(8 * time.Second):
		}
	}
	return s.fakeTSDB.QueryRange(ctx, expr, r)
}
