package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo/ledger"
)

const fourObjectives = `
objectives:
  - {name: p, target: 99, promql: {bad: 'sum(increase(b[{{.window}}]))', total: 'sum(increase(p[{{.window}}]))', resolution: 1m}}
  - {name: spans, target: 99, availability: {}}
  - {name: q, target: 99, promql: {bad: 'sum(increase(b[{{.window}}]))', total: 'sum(increase(q[{{.window}}]))', resolution: 1m}}
  - {name: r, target: 99, promql: {bad: 'sum(increase(b[{{.window}}]))', total: 'sum(increase(r[{{.window}}]))', resolution: 1m}}`

// TestOrderOfPromQLObjectives checks the order of PromQL objectives: by their lag, and slow ones by the time that they wait; without those that are
// up to date or failed in this evaluation.
func TestOrderOfPromQLObjectives(t *testing.T) {
	e := openAt(t, parse(t, fourObjectives), newFakeTSDB(), noon)
	defer closeIt(t, e)
	v := e.evaluator
	assert.Equal(t, []int{1}, v.spanObjectives())
	set := func(p, q, r ledger.Minute) {
		v.progress[0].watermark, v.progress[2].watermark, v.progress[3].watermark = p, q, r
	}
	none := make([]bool, 4)
	set(5, 3, 4)
	assert.Equal(t, []int{2, 3, 0}, v.laggingPromQL(10, none, false))
	assert.Equal(t, []int{2, 3}, v.laggingPromQL(5, none, false), "5 is evaluated up to 5")
	assert.Equal(t, []int{2, 0}, v.laggingPromQL(10, []bool{false, false, false, true}, false))
	assert.Empty(t, v.laggingPromQL(10, none, true))
	set(3, 3, 3)
	assert.Equal(t, []int{0, 2, 3}, v.laggingPromQL(10, none, false), "in their order where all else is equal")
	for _, i := range []int{0, 2, 3} {
		v.progress[i].slow, v.progress[i].tried = true, noon
	}
	assert.Empty(t, v.laggingPromQL(10, none, false))
	assert.Equal(t, []int{0, 2, 3}, v.laggingPromQL(10, none, true))
	v.progress[0].took = queryTimeout
	v.progress[3].tried = noon.Add(-time.Minute)
	assert.Equal(t, []int{3, 2, 0}, v.laggingPromQL(10, none, true), "one that hung is last, one that waits longest first")
}

// TestBatchFollowsTheDatabase checks how many minutes of spans a query asks for: a quarter after a failure, at least one; twice
// as many after a success, at most an hour.
func TestBatchFollowsTheDatabase(t *testing.T) {
	db := newFakeTSDB()
	e := openAt(t, parse(t, twoObjectives), db, noon)
	defer closeIt(t, e)
	v := e.evaluator
	end := ledger.Elapsed(noon.Add(100 * time.Hour))
	for _, step := range []struct {
		err  error
		want ledger.Minute
	}{
		{nil, 60}, {errors.New("too much"), 15}, {errors.New("too much"), 3}, {errors.New("too much"), 1}, {errors.New("too much"), 1},
		{nil, 2}, {nil, 4}, {nil, 8}, {nil, 16}, {nil, 32}, {nil, 60}, {nil, 60},
	} {
		db.fail(step.err)
		before := v.spans.batch
		r := v.read(t.Context(), end, make([]bool, 2), lane{v.progress[0].slow, queryTimeout, queryTimeout})
		assert.Equal(t, step.want, v.spans.batch)
		assert.Equal(t, step.err != nil, r.failed)
		if step.err == nil {
			assert.Equal(t, v.spans.watermark+before, r.spansTo)
			assert.Len(t, r.readings, 2)
		}
	}
	v.spans.watermark = end - 3
	r := v.read(t.Context(), end, make([]bool, 2), lane{v.progress[0].slow, queryTimeout, queryTimeout})
	assert.Equal(t, end, r.spansTo, "no further than what is over")
	v.spans.watermark = end
	r = v.read(t.Context(), end, make([]bool, 2), lane{v.progress[0].slow, queryTimeout, queryTimeout})
	assert.True(t, r.empty())
	assert.Zero(t, r.spansTo)
}

// TestBirthBeforeAnOutageOfQueries checks that a series is counted from its birth where its first samples were written late, after
// the minutes of the birth were evaluated, and queries failed since: the birth is searched as far back as ever, by queries that
// the database answers.
func TestBirthBeforeAnOutageOfQueries(t *testing.T) {
	for _, limit := range []time.Duration{0, 6 * time.Minute} {
		db := newFakeTSDB()
		c := parse(t, twoObjectives)
		e := openAt(t, c, db, noon)
		at := func(d time.Duration) clock.State { return believed(noon.Add(d+c.Lateness), true, true) }
		require.NoError(t, e.evaluator.evaluate(t.Context(), at(20*time.Minute)))
		db.fail(errors.New("away"))
		for m := range 5 {
			require.NoError(t, e.evaluator.evaluate(t.Context(), at(time.Duration(21+m)*time.Minute)))
		}
		require.EqualValues(t, 1, e.evaluator.spans.batch)
		db.fail(nil)
		db.limit = limit
		db.events("a", noon.Add(50*time.Second), 0, 0)
		db.events("a", noon.Add(20*time.Minute+50*time.Second), 25, 2)
		require.NoError(t, e.evaluator.evaluate(t.Context(), at(26*time.Minute)))
		s, _ := e.Status("a")
		assert.Equal(t, Events{Total: 25, Bad: 2}, s.Events, "of a database that answers for %v", limit)
		closeIt(t, e)
	}
}

// TestWatermarkWithoutSpanObjectives checks that without objectives that count spans the watermark advances and no query is made.
func TestWatermarkWithoutSpanObjectives(t *testing.T) {
	db := newFakeTSDB()
	e := openAt(t, parse(t, "objectives: []"), db, noon)
	defer closeIt(t, e)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Hour+e.config.Lateness), true, true)))
	assert.Equal(t, ledger.Elapsed(noon.Add(time.Hour)), e.evaluator.spans.watermark)
	assert.Empty(t, db.queries)
}

// TestCancelledQueriesAreNoError checks that a shutdown leaves no objective in error.
func TestCancelledQueriesAreNoError(t *testing.T) {
	db := newFakeTSDB()
	db.fail(context.Canceled)
	e := openAt(t, parse(t, twoObjectives), db, noon)
	defer closeIt(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, e.evaluator.evaluate(ctx, believed(noon.Add(time.Hour), true, true)))
	assert.Empty(t, e.evaluator.progress[0].failing)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Hour), true, true)))
	assert.Contains(t, e.evaluator.progress[0].failing, "The time series database cannot be queried: context canceled")
}

// TestWatermarksAheadOfTheClock checks how far watermarks may be ahead before the clock counts as set back.
func TestWatermarksAheadOfTheClock(t *testing.T) {
	e := openAt(t, parse(t, "objectives: [{name: a, target: 99, window: 1d, availability: {}}]"), newFakeTSDB(), noon)
	defer closeIt(t, e)
	late := e.config.Lateness
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes)*time.Minute + late) }
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(at(60), true, true)))
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(at(55), true, true)))
	assert.Equal(t, ledger.Elapsed(noon.Add(time.Hour)), e.evaluator.latest(), "five minutes are nothing")
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(at(55), false, false)))
	require.ErrorContains(t, e.evaluator.evaluate(t.Context(), believed(at(54), false, false)), "far from the clock")
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(at(54), true, true)))
	assert.Equal(t, ledger.Elapsed(noon.Add(54*time.Minute)), e.evaluator.latest())

	back := e.evaluator.retention
	ahead := func(d ledger.Minute) time.Time { return (e.evaluator.spans.watermark + back + d).Start().Add(late) }
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(ahead(0), false, false)))
	require.ErrorContains(t, e.evaluator.evaluate(t.Context(), believed(ahead(1), false, false)), "far from the clock")
}
