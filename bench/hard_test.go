package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/bench/load"
)

// TestKeep holds that as large a share is kept as is asked for, of which those with an error and the slow ones are a part.
func TestKeep(t *testing.T) {
	for _, percent := range []float64{1, 3, 9, 10, 100} {
		var s scenario
		keep(&s, percent)
		kept, traces := 0.0, uint64(100_000)
		for seq := range traces {
			if s.load.Mix.Flavour(seq) == load.Boring {
				kept += s.rest / 100
			} else {
				kept++
			}
		}
		assert.InDelta(t, percent, 100*kept/float64(traces), 0.01, "%v %%", percent)
		assert.LessOrEqual(t, s.rest, 100.0)
	}
}

// TestCompare holds that a figure fails where it is more than a tenth worse, in its own direction, and that the error says by how
// much.
func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		higher    bool
		got, want float64
		says      string // empty: it holds
	}{
		{false, 0.20, 0.19, ""},
		{false, 0.10, 0.19, ""},
		{false, 0.22, 0.19, "a: 0.220 of b is 16 % behind 0.190, more than 10 %"},
		{true, 3.3, 3.5, ""},
		{true, 9, 3.5, ""},
		{true, 2.8, 3.5, "a: 2.800 of b is 25 % behind 3.500, more than 10 %"},
		{false, 0.1, 0, "has no figure; write it"},
	} {
		err := held{name: "a", unit: "of b", higher: tt.higher}.compare(tt.got, map[string]float64{"a": tt.want})
		if tt.says == "" {
			assert.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, tt.says)
	}
}

// TestFloorFile holds that each figure that is measured is in the file, and no other, and that it is written as it is read.
func TestFloorFile(t *testing.T) {
	want, err := readFloor(floorFile)
	require.NoError(t, err)
	assert.Len(t, want, len(heldFigures))
	for _, h := range heldFigures {
		assert.Positive(t, want[h.name], h.name)
	}
	file := filepath.Join(t.TempDir(), "floor.json")
	require.NoError(t, writeFloor(file, map[string]float64{"a": 0.12345}))
	again, err := readFloor(file)
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{"a": 0.123}, again)
	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	_, err = readFloor(file)
	require.ErrorContains(t, err, file)
}

func TestOnlyMustMatch(t *testing.T) {
	for _, suite := range []func(options) error{
		func(o options) error { return o.hard(t.Context(), t.TempDir()) },
		func(o options) error { return o.floor(t.Context(), t.TempDir()) },
	} {
		require.ErrorContains(t, suite(options{only: "nothing like it"}), "--only: ")
	}
	_, err := options{}.target("nobody")
	require.ErrorContains(t, err, `there is no target "nobody"`)
	absolute, err := options{a: "x"}.target("slowburn batch")
	require.NoError(t, err)
	assert.True(t, filepath.IsAbs(absolute.program))
	assert.True(t, absolute.isSlowburn())
}

// TestConfigsAreThere holds that the files of all targets and loads exist.
func TestConfigsAreThere(t *testing.T) {
	var s scenario
	keep(&s, hardShare)
	files := append(s.configs, "configs/kept-backend.yaml", "configs/grouped.yaml")
	for _, list := range [][]target{targets, doors} {
		for _, one := range list {
			files = append(files, one.configs...)
		}
	}
	for _, file := range files {
		assert.FileExists(t, file)
	}
}

func TestHardTable(t *testing.T) {
	rows := []row{
		{Scenario: "load", Target: "slowburn", Buffered: 10, Runs: []result{{
			CPUPerSpan: 2, Charged: 1000, WorkingSet: 500, Resident: 300, Anonymous: 100, ReadPerSpan: 7, Rate: 50,
			P50: time.Millisecond, P99: 2 * time.Millisecond, P999: 3 * time.Millisecond,
		}}},
		{Scenario: "load", Target: reference, Buffered: 10, Runs: []result{{CPUPerSpan: 4}}},
	}
	var out bytes.Buffer
	hardTable(&out, rows, reference)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 6)
	assert.Equal(t, "| slowburn | 2.00 ± 0.00 | 0.500 | 100 | 50 | 30 | 10 | 7.0 | 50 | 0.0 % | 1ms | 2ms | 3ms | – | – | – | – |", lines[4])
	assert.Equal(t, strings.Count(lines[2], "|"), strings.Count(lines[4], "|"))
}

func TestMemoryBytes(t *testing.T) {
	for text, want := range map[string]int64{"512MiB": 512 << 20, "1 GiB": 1 << 30, "64KiB": 64 << 10} {
		got, err := memoryBytes(text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{"", "512", "MiB", "-1MiB", "1.5GiB"} {
		_, err := memoryBytes(text)
		require.ErrorContains(t, err, "such as 512MiB", text)
	}
}
