package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/bench/proc"
)

func TestSummary(t *testing.T) {
	for want, ratios := range map[string][]float64{
		"B/A of 1 pairs: median 1.0200, middle half 1.0200 to 1.0200, all 1.0200 to 1.0200\n": {1.02},
		"B/A of 4 pairs: median 1.0000, middle half 0.9900 to 1.0100, all 0.9000 to 1.0100\n": {1.01, 0.9, 1.01, 0.99},
		"B/A of 5 pairs: median 1.0300, middle half 1.0200 to 1.0400, all 1.0100 to 1.0500\n": {1.05, 1.01, 1.04, 1.02, 1.03},
	} {
		var out bytes.Buffer
		summary(&out, ratios)
		assert.Equal(t, want, out.String())
	}
}

func TestPairNeedsBinaries(t *testing.T) {
	require.ErrorContains(t, options{suite: "pair"}.pairs(t.Context(), t.TempDir()), "--a and --b")
	require.ErrorIs(t, options{suite: "pair", a: "none", b: "none"}.pairs(t.Context(), t.TempDir()), os.ErrNotExist)
}

// Both readings of the CPU time are of the same thing.
func TestCPUTime(t *testing.T) {
	for start := time.Now(); time.Since(start) < 50*time.Millisecond; { //nolint:revive // it works
	}
	exact, err := proc.CPUTime(os.Getpid())
	require.NoError(t, err)
	ticks, err := proc.CPUSeconds(os.Getpid())
	require.NoError(t, err)
	assert.InDelta(t, ticks, exact.Seconds(), 0.1)
	assert.Positive(t, exact)
}
