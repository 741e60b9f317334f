package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/slowburn/slowburn/cmd/slowburn/internal/capacity"
	"github.com/slowburn/slowburn/internal/units"
)

const capacityHelp = `Say what cores, memory and disk a gateway needs for a load, today and as the load grows.

The model is a few sums of figures that were measured on one machine, and is written down in docs/capacity.md: measure your own
load before you buy.`

const capacityExample = `  slowburn capacity --rate 20000
  slowburn capacity --rate 100000 --growth 10%/month --months 24
  slowburn capacity --rate 50000 --kept 10% --outage 4h # ten times as much kept, a backend that may be away for longer`

// plan holds the flags of the command.
type plan struct {
	load   capacity.Load
	kept   capacity.Share
	growth capacity.Growth
	months int
}

// newCapacity returns the command that computes what a gateway needs for a load.
func newCapacity() *cobra.Command {
	p := plan{kept: 0.03, growth: 1}
	cmd := &cobra.Command{
		Use:          "capacity --rate SPANS_PER_SECOND",
		Short:        "Say what cores, memory and disk a load needs",
		Long:         capacityHelp,
		Example:      capacityExample,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p.load.Kept = float64(p.kept)
			if err := p.load.Check(); err != nil {
				return err
			}
			if p.months < 1 || p.months > 120 {
				return fmt.Errorf("--months must be between 1 and 120")
			}
			return p.print(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.Float64Var(&p.load.Rate, "rate", 0, "spans per second at the busiest time of a day")
	f.Float64Var(&p.load.SpanBytes, "span-bytes", 520, "bytes of an encoded span")
	f.Var(&p.kept, "kept", "share of the spans whose trace is kept")
	f.DurationVar(&p.load.Wait, "wait", 5*time.Second, "how long a span waits for the decision: until 2s after its root, decision_wait without one")
	f.DurationVar(&p.load.Revive, "revive", 30*time.Second, "how long it can be revived then: revive_window")
	f.DurationVar(&p.load.Outage, "outage", time.Hour, "how long a backend may be down before kept traces are given up")
	f.Float64Var(&p.load.Series, "series", 10_000, "series of metrics, those of sli included")
	f.Float64Var(&p.load.Headroom, "headroom", 2, "the factor on the cores that the load needs: with 2 they are half busy")
	f.Var(&p.growth, "growth", "growth of the rate, in percent per week, month, quarter or year")
	f.IntVar(&p.months, "months", 12, "the months of growth to plan for")
	_ = cmd.MarkFlagRequired("rate") // fails only for an unknown flag
	return cmd
}

// print writes a table with a line per quarter, and the keys to set in the configuration today.
func (p *plan) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "month\tspans/s\tcores\tmemory\tmemory_budget\tdisk\tdisk_budget")
	for _, month := range p.when() {
		load := p.load
		load.Rate = p.growth.After(load.Rate, month)
		n := capacity.Of(load)
		fmt.Fprintf(w, "%d\t%.0f\t%s\t%s\t%s\t%s\t%s\n", month, load.Rate, cores(n.Cores), units.About(n.Memory),
			units.Size(n.MemoryBudget), units.About(n.Disk), units.Size(n.DiskBudget))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	n := capacity.Of(p.load)
	_, err := fmt.Fprintf(out, "\nToday: processors: {tail_sampling: {memory_budget: %s, disk_budget: %s}}\n",
		units.Size(n.MemoryBudget), units.Size(n.DiskBudget))
	return err
}

// when returns the months of the table.
func (p *plan) when() []int {
	if p.growth == 1 {
		return []int{0}
	}
	months := []int{}
	for m := 0; m < p.months; m += 3 {
		months = append(months, m)
	}
	return append(months, p.months)
}

// cores rounds up to a tenth, and at ten and more to a whole core.
func cores(n float64) string {
	if n >= 10 {
		return fmt.Sprintf("%.0f", math.Ceil(n))
	}
	return fmt.Sprintf("%.1f", max(math.Ceil(n*10)/10, 0.1))
}
