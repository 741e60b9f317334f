package capacity

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var usual = Load{Rate: 100_000, SpanBytes: 520, Kept: 0.03, Wait: 5 * time.Second, Revive: 30 * time.Second, Outage: time.Hour, Series: 10_000, Headroom: 1}

// The model reproduces the measurements that it was made from.
func TestMeasured(t *testing.T) {
	assert.InDelta(t, cpuPerSpan*usual.Rate/1e6, Of(usual).Cores, 1e-9)
	all := usual
	all.Kept = 1
	none := usual
	none.Kept = 0
	assert.InDelta(t, cpuPerKeptSpan*usual.Rate/1e6, Of(all).Cores-Of(none).Cores, 1e-9)
}

// The model's figures are in the docs, with their commands.
func TestFiguresStandInTheDocs(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("../../../../docs/" + name)
		require.NoError(t, err)
		return string(text)
	}
	performance, operations, model := read("performance.md"), read("operations.md"), read("capacity.md")
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	assert.Contains(t, performance, "| slowburn | "+number(cpuPerSpan)+" ±")
	assert.Contains(t, performance, "| `trace_store` and that backend | "+number(cpuPerKeptSpan)+" (")
	assert.Contains(t, performance, "some "+number(processBytes/1e6)+" MB")
	assert.Contains(t, performance, "60 to "+number(indexBytes)+" of memory")
	assert.Contains(t, operations, "asserts "+number(fewGrowth)+".")
	assert.Contains(t, operations, "to "+number(manyGrowth)+" of it")
	for _, f := range []float64{cpuPerSpan, cpuPerKeptSpan, indexBytes, recordFactor, fewGrowth, manyGrowth, processBytes / 1e6, sampleBytes} {
		assert.Contains(t, model, number(f), "docs/capacity.md")
	}
}

// A higher load never needs less of anything.
func TestMonotonic(t *testing.T) {
	for name, grow := range map[string]func(*Load){
		"rate":   func(l *Load) { l.Rate *= 3 },
		"bytes":  func(l *Load) { l.SpanBytes *= 3 },
		"kept":   func(l *Load) { l.Kept *= 3 },
		"wait":   func(l *Load) { l.Wait *= 3 },
		"revive": func(l *Load) { l.Revive *= 3 },
		"outage": func(l *Load) { l.Outage *= 3 },
		"series": func(l *Load) { l.Series *= 3 },
	} {
		for _, rate := range []float64{1, 1000, 100_000, 1e6} {
			l := usual
			l.Rate = rate
			before := Of(l)
			grow(&l)
			after := Of(l)
			context := fmt.Sprintf("%s at %v: %+v, %+v", name, rate, before, after)
			assert.GreaterOrEqual(t, after.Cores, before.Cores, context)
			assert.GreaterOrEqual(t, after.Memory, before.Memory, context)
			assert.GreaterOrEqual(t, after.MemoryBudget, before.MemoryBudget, context)
			assert.GreaterOrEqual(t, after.Disk, before.Disk, context)
			assert.GreaterOrEqual(t, after.DiskBudget, before.DiskBudget, context)
		}
	}
}

func TestGrowth(t *testing.T) {
	for text, afterAYear := range map[string]float64{
		"10%/month": 3.1384, "0%/month": 1, "100%/year": 2, "-50%/year": 0.5, " 10% / quarter ": 1.4641, "1%/week": 1.6777,
	} {
		var g Growth
		require.NoError(t, g.Set(text), text)
		assert.InDelta(t, afterAYear, g.After(1, 12), 1e-3, text)
	}
	for _, text := range []string{"", "10", "10%", "10/month", "x%/month", "10%/day", "-100%/month", "NaN%/month", "2000%/month"} {
		var g Growth
		require.ErrorContains(t, g.Set(text), "10%/month", text)
	}
}

func TestShare(t *testing.T) {
	var s Share
	require.NoError(t, s.Set("3%"))
	assert.InDelta(t, 0.03, float64(s), 1e-12)
	assert.Equal(t, "3%", s.String())
	for _, text := range []string{"3", "101%", "-1%", "%", "NaN%"} {
		require.ErrorContains(t, s.Set(text), "like 3%", text)
	}
}

// The table of docs/capacity.md equals the model's.
func TestDocsTable(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/capacity.md")
	require.NoError(t, err)
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 9 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rate, err := strconv.ParseFloat(strings.ReplaceAll(cells[1], ",", ""), 64)
		if err != nil {
			continue
		}
		rows++
		l := usual
		l.Rate, l.Headroom = rate, 2
		var kept Share
		require.NoError(t, kept.Set(cells[2]))
		l.Kept = float64(kept)
		n := Of(l)
		gib := func(b int64) string { return strconv.FormatFloat(float64(b)/(1<<30), 'f', 1, 64) + " GiB" }
		assert.Equal(t, []string{
			strconv.FormatFloat(n.Cores, 'g', 2, 64), gib(n.Memory), gib(n.MemoryBudget), gib(n.Disk), gib(n.DiskBudget),
		}, cells[3:8], line)
	}
	assert.GreaterOrEqual(t, rows, 4)
}
