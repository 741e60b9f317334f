package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/slowburn/slowburn/slo/engine/internal/metadata"
)

// The channel of Changed is closed by the next evaluation, which Statuses then returns.
func TestChanged(t *testing.T) {
	db := newFakeTSDB()
	burn(db, "checkout-availability", 30, 10_000, func(int) float64 { return 0 })
	c := parse(t, readerConfig)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	before := e.Changed()
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(c.Lateness), true, true)))
	select {
	case <-before:
		t.Error("no minute was evaluated")
	default:
	}
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Minute+c.Lateness), true, true)))
	<-before
	s, _ := e.Status("checkout-availability")
	assert.Equal(t, noon.Add(time.Minute), *s.EvaluatedUntil)
	select {
	case <-e.Changed():
		t.Error("nothing has changed since")
	default:
	}
}

// A ledger keeps its name over restarts, and two ledgers have two.
func TestInstance(t *testing.T) {
	c := parse(t, readerConfig)
	set := extensiontest.NewNopSettings(metadata.Type)
	set.Resource.Attributes().PutStr("service.instance.id", "the first process")
	first, err := newExtension(set, c)
	require.NoError(t, err)
	assert.Equal(t, "the first process", first.Instance())

	e := openAt(t, c, newFakeTSDB(), noon)
	name := e.Instance()
	require.NotEmpty(t, name)
	closeIt(t, e)
	again := openAt(t, c, newFakeTSDB(), noon)
	defer closeIt(t, again)
	assert.Equal(t, name, again.Instance())

	other := openAt(t, parse(t, readerConfig), newFakeTSDB(), noon)
	defer closeIt(t, other)
	assert.NotEqual(t, name, other.Instance())
}
