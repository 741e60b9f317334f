package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/slowburn/slowburn/bench/load"
)

// row is every run of one target under one scenario.
type row struct {
	Scenario string   `json:"scenario"`
	Target   string   `json:"target"`
	Buffered int      `json:"buffered_spans"`
	Runs     []result `json:"runs"`
}

func (r row) of(value func(result) float64) (mid, spread float64) {
	values := make([]float64, len(r.Runs))
	low, high := value(r.Runs[0]), value(r.Runs[0])
	for i, run := range r.Runs {
		values[i] = value(run)
		low, high = min(low, values[i]), max(high, values[i])
	}
	return median(values), (high - low) / 2
}

// table prints the rows of one scenario as Markdown: medians ± half the spread, and ratios to the reference target.
func table(out io.Writer, rows []row, reference string) {
	var base *row
	for i := range rows {
		if rows[i].Target == reference {
			base = &rows[i]
		}
	}
	fmt.Fprintf(out, "\n### %s\n\n", rows[0].Scenario)
	what := "CPU µs/span"
	if rows[0].Runs[0].Instructions > 0 {
		what = "instructions/span"
	}
	fmt.Fprintf(out, "| target | %s | ratio | resident B/span | ratio | anonymous B/span | ratio | spans/s accepted | refused | p50 | p99 | errors kept | slow kept | rest kept | torn |\n", what)
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	for _, r := range rows {
		cost := cpuOrInstructions(r)
		cpu, cpuSpread := r.of(cost)
		rate, _ := r.of(func(x result) float64 { return x.Rate })
		refused, _ := r.of(func(x result) float64 { return x.Refused })
		p50, _ := r.of(func(x result) float64 { return float64(x.P50) })
		p99, _ := r.of(func(x result) float64 { return float64(x.P99) })
		fmt.Fprintf(out, "| %s | %.2f ± %.2f | %s | %s | %s | %s | %s | %.0f | %.1f %% | %s | %s | %s |\n",
			r.Target, cpu, cpuSpread, ratio(r, base, cost),
			perSpan(r, resident), ratio(r, base, resident), perSpan(r, anonymous), ratio(r, base, anonymous),
			rate, refused*100, round(p50), round(p99), kept(r))
	}
	refusals(out, rows)
}

// cpuOrInstructions returns the cost of a span, by the measure that the options select.
func cpuOrInstructions(r row) func(result) float64 {
	if r.Runs[0].Instructions > 0 {
		return func(x result) float64 { return x.Instructions }
	}
	return func(x result) float64 { return x.CPUPerSpan }
}

// hardTable prints the rows of one scenario of --suite hard: the memory that counts against a limit, including page cache, and the
// bytes read from the disk, beside CPU time and latency. Bytes are per span that is buffered for a decision.
func hardTable(out io.Writer, rows []row, reference string) {
	var base *row
	for i := range rows {
		if rows[i].Target == reference {
			base = &rows[i]
		}
	}
	cost := func(x result) float64 { return x.CPUPerSpan }
	fmt.Fprintf(out, "\n### %s\n\n", rows[0].Scenario)
	fmt.Fprintln(out, "| target | CPU µs/span | ratio | charged B/span | working set B/span | RSS B/span | anonymous B/span | disk read B/span | spans/s accepted | refused | p50 | p99 | p99.9 | errors kept | slow kept | rest kept | torn |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	for _, r := range rows {
		mid := func(value func(result) float64) float64 {
			m, _ := r.of(value)
			return m
		}
		cpu, spread := r.of(cost)
		duration := func(value func(result) time.Duration) string {
			return round(mid(func(x result) float64 { return float64(value(x)) }))
		}
		fmt.Fprintf(out, "| %s | %.2f ± %.2f | %s | %s | %s | %s | %s | %.1f | %.0f | %.1f %% | %s | %s | %s | %s |\n",
			r.Target, cpu, spread, ratio(r, base, cost),
			perSpan(r, func(x result) float64 { return x.Charged }), perSpan(r, func(x result) float64 { return x.WorkingSet }),
			perSpan(r, resident), perSpan(r, anonymous), mid(func(x result) float64 { return x.ReadPerSpan }),
			mid(func(x result) float64 { return x.Rate }), 100*mid(func(x result) float64 { return x.Refused }),
			duration(func(x result) time.Duration { return x.P50 }), duration(func(x result) time.Duration { return x.P99 }),
			duration(func(x result) time.Duration { return x.P999 }), kept(r))
	}
	refusals(out, rows)
}

// refusals prints why targets refused spans, if they did: the last reason of each.
func refusals(out io.Writer, rows []row) {
	for _, r := range rows {
		last := ""
		for _, run := range r.Runs {
			if run.LastRefusal != "" {
				last = run.LastRefusal
			}
		}
		if last != "" {
			fmt.Fprintf(out, "\nThe last refusal of %s: %s\n", r.Target, last)
		}
	}
}

// heldTable prints the sizes of a process in MB: resident memory, its anonymous part, and the span log's files.
func heldTable(out io.Writer, rows []row) {
	fmt.Fprintln(out, "\n| target | resident MB | anonymous MB | disk MB |")
	fmt.Fprintln(out, "|---|---|---|---|")
	for _, r := range rows {
		mb := func(value func(result) float64) float64 {
			mid, _ := r.of(value)
			return mid / 1e6
		}
		fmt.Fprintf(out, "| %s | %.0f | %.0f | %.0f |\n", r.Target, mb(resident), mb(anonymous), mb(func(x result) float64 { return x.Disk }))
	}
}

func resident(x result) float64  { return x.Resident }
func anonymous(x result) float64 { return x.Anonymous }

func perSpan(r row, value func(result) float64) string {
	if r.Buffered == 0 {
		return "–"
	}
	mid, _ := r.of(value)
	return fmt.Sprintf("%.0f", mid/float64(r.Buffered))
}

func ratio(r row, base *row, value func(result) float64) string {
	if base == nil {
		return "–"
	}
	mine, _ := r.of(value)
	theirs, _ := base.of(value)
	return fmt.Sprintf("%.3f", mine/theirs)
}

func round(ns float64) string { return time.Duration(ns).Round(10 * time.Microsecond).String() }

// kept sums the kept traces over the runs, for targets that sample.
func kept(r row) string {
	var sent, arrived [3]int
	torn := 0
	for _, run := range r.Runs {
		for f := range sent {
			sent[f] += run.Kept.Sent[f]
			arrived[f] += run.Kept.Kept[f]
		}
		torn += run.Kept.Torn
	}
	if sent[load.Boring] == 0 {
		return "– | – | – | –"
	}
	share := func(f load.Flavour) float64 { return 100 * float64(arrived[f]) / float64(max(1, sent[f])) }
	return fmt.Sprintf("%.2f %% | %.2f %% | %.3f %% | %d", share(load.Failing), share(load.Slow), share(load.Boring), torn)
}

func writeJSON(path string, rows []row) error {
	body, err := json.MarshalIndent(rows, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(body, '\n'), 0o600)
}
