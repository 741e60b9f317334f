package census

import (
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/stretchr/testify/assert"
)

func TestUnits(t *testing.T) {
	assert.Equal(t, 1, Units(0, 0))
	assert.Equal(t, 1, Units(1023, 15))
	assert.Equal(t, 2, Units(1024, 0))
	assert.Equal(t, 11, Units(300, 160))
}

func TestCensus(t *testing.T) {
	c := New(3)
	assert.True(t, c.Room(0, 3))
	assert.False(t, c.Room(0, 4))

	c.Note(1, 2, false)
	c.Note(1, 1, false) // a smaller number is ignored
	assert.True(t, c.Room(0, 1))
	assert.False(t, c.Room(0, 2))
	assert.True(t, c.Room(1, 3), "what it counts as is not needed again")
	assert.False(t, c.Room(1, 4))

	c.Note(2, 50, true)
	assert.True(t, c.Room(0, 1), "the gateway's own take nothing from others")
	assert.True(t, c.Room(2, 99), "others may write to a series of the gateway's")
	c.Note(2, 50, false)
	own, foreign := c.Counts()
	assert.Equal(t, Counts{1, 50}, own)
	assert.Equal(t, Counts{1, 2}, foreign)

	c.Note(1, 1, true) // adopted, as after a restart
	own, foreign = c.Counts()
	assert.Equal(t, Counts{2, 52}, own)
	assert.Zero(t, foreign)

	c.PostDeletion(map[chunks.HeadSeriesRef]labels.Labels{1: labels.EmptyLabels(), 2: labels.EmptyLabels(), 7: labels.EmptyLabels()})
	own, foreign = c.Counts()
	assert.Zero(t, own)
	assert.Zero(t, foreign)
	assert.NoError(t, c.PreCreation(labels.EmptyLabels()))
	assert.Equal(t, 3, c.Max())
}
