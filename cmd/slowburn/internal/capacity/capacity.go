// Package capacity computes what a gateway needs for a load: cores, memory and disk.
//
// Of is the model: sums of measured figures (docs/performance.md, docs/operations.md), which docs/capacity.md explains. Growth
// projects a load into the future. All functions are pure.
package capacity

import (
	"fmt"
	"math"
	"time"
)

// Measured figures; docs/performance.md and docs/operations.md have each with its command.
const (
	cpuPerSpan     = 1.71 // µs, shipped pipelines at 100,000 spans per second, with measuredKept of them kept
	cpuPerKeptSpan = 5.9  // µs more for a kept span, stored in trace_store and sent to one backend
	measuredKept   = 0.03 // share of spans kept where cpuPerSpan was measured
	indexBytes     = 70   // memory per buffered span, besides its bytes
	recordFactor   = 1.1  // ratio of a span's bytes in the log to its bytes on the wire
	processBytes   = 120e6
	fewKept        = 0.03 // share of spans kept at which resident memory over idle was at most fewGrowth budgets
	fewGrowth      = 1.1
	manyKept       = 0.1 // and manyGrowth budgets at this one
	manyGrowth     = 1.6
	limiterShare   = 0.8 // memory_limiter::limit_percentage of config.yaml
	traceStore     = 1 << 30
	sampleBytes    = 2    // bytes per metric sample on disk, compressed: Prometheus' own upper figure
	samplesPerDay  = 8640 // one every 10 s
	metricDays     = 35   // tsdb::retention
)

// Smallest budgets: those of the shipped configuration.
const (
	leastMemoryBudget = 512 << 20
	leastDiskBudget   = 4 << 30
)

// Load describes the load of a gateway.
type Load struct {
	Rate      float64       // spans per second
	SpanBytes float64       // bytes of an encoded span
	Kept      float64       // share of spans kept, 0 to 1
	Wait      time.Duration // from a span's arrival to the decision
	Revive    time.Duration // how long a trace that is not kept can be revived after that
	Outage    time.Duration // longest outage of a backend
	Series    float64       // number of metric series
	Headroom  float64       // ratio of the machine's cores to those needed
}

// Check returns an error that names an invalid part of a load.
func (l Load) Check() error {
	for _, c := range []struct {
		bad  bool
		text string
	}{
		{!(l.Rate > 0 && l.Rate <= 1e8), "--rate must be above 0, and at most 100 million spans per second"},
		{!(l.SpanBytes >= 32 && l.SpanBytes <= 1<<20), "--span-bytes must be between 32 and 1048576"},
		{!(l.Kept >= 0 && l.Kept <= 1), "--kept must be between 0% and 100%"},
		{l.Wait <= 0, "--wait must be above 0s: it is a trace's own duration plus decision_wait_after_root_received"},
		{l.Revive < 0, "--revive must not be below 0s: it is revive_window"},
		{l.Outage < 0, "--outage must not be below 0s"},
		{!(l.Series >= 0 && l.Series <= 1e8), "--series must be between 0 and 100 million"},
		{!(l.Headroom >= 1 && l.Headroom <= 10), "--headroom must be between 1 and 10"},
	} {
		if c.bad {
			return fmt.Errorf("%s", c.text)
		}
	}
	return nil
}

// Need is what a load needs. Sizes are in bytes.
type Need struct {
	Cores        float64 // with headroom
	MemoryBudget int64   // tail_sampling::memory_budget
	Memory       int64   // of the machine or the container
	DiskBudget   int64   // tail_sampling::disk_budget
	Disk         int64   // of the volume: span log, trace store, metrics, and a free tenth
}

// Of returns what a load needs.
func Of(l Load) Need {
	base := cpuPerSpan - measuredKept*cpuPerKeptSpan
	cores := l.Rate * (base + l.Kept*cpuPerKeptSpan) / 1e6 * l.Headroom

	record := l.SpanBytes * recordFactor
	waiting, revivable := l.Rate*l.Wait.Seconds(), l.Rate*l.Revive.Seconds() // revivable spans are read from the disk
	memoryBudget := max(roundUp(waiting*record+(waiting+revivable)*indexBytes, 64<<20), leastMemoryBudget)
	memory := (processBytes + float64(memoryBudget)*growth(l.Kept)) / limiterShare

	backlog := l.Rate * l.Kept * l.Outage.Seconds() * record // delivery_budget is half of disk_budget
	diskBudget := max(roundUp((waiting+revivable)*record+2*backlog, 1<<30), leastDiskBudget)
	metrics := l.Series * metricDays * samplesPerDay * sampleBytes
	return Need{
		Cores:        cores,
		MemoryBudget: memoryBudget,
		Memory:       roundUp(memory, 64<<20),
		DiskBudget:   diskBudget,
		Disk:         roundUp((float64(diskBudget)+traceStore+metrics)/0.9, 1<<30),
	}
}

// growth returns by how many memory budgets resident memory exceeded that of an idle gateway, by the share of spans kept.
func growth(kept float64) float64 {
	part := (kept - fewKept) / (manyKept - fewKept)
	return fewGrowth + (manyGrowth-fewGrowth)*min(max(part, 0), 1)
}

func roundUp(bytes, unit float64) int64 { return int64(math.Ceil(bytes/unit) * unit) }
