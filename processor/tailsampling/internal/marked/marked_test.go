package marked

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

func TestMarks(t *testing.T) {
	var marks Traces
	require.False(t, marks.Has(1))
	marks.Remove(1)
	require.Zero(t, marks.Bytes())
	require.True(t, marks.Add(1))
	require.False(t, marks.Add(1), "it is marked already")
	require.True(t, marks.Add(2))
	require.True(t, marks.Has(1))
	require.False(t, marks.Has(3))
	require.Positive(t, marks.Bytes())
	require.Equal(t, []index.Slot{1, 2}, slices.Collect(marks.All))
	marks.Remove(1)
	require.False(t, marks.Has(1))
	require.Equal(t, []index.Slot{2}, slices.Collect(marks.All))
}

func TestMarksAreBounded(t *testing.T) {
	var marks Traces
	for n := range index.Slot(maxTraces) {
		require.True(t, marks.Add(n))
	}
	require.False(t, marks.Add(maxTraces))
	for range marks.All {
		break // the iteration can end early
	}
}
