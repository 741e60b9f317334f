package main

import (
	"context"
	"fmt"
	"os"
	"slices"
)

// ways are the destinations of kept traces in --suite kept.
var ways = []struct {
	name    string
	configs []string
}{
	{"to a backend", []string{"configs/kept-backend.yaml"}},
	{"to trace_store and a backend", nil},
}

// kept measures the cost of a kept span: the cost per span of a gateway that keeps all traces, minus that of one that keeps none
// and runs at the same time under the same load.
func (o options) kept(ctx context.Context, dir string) error {
	t, err := o.target("slowburn")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "building the target")
	if err := build(ctx, dir, []target{t}); err != nil {
		return err
	}
	s := o.base()
	s.load.Rate /= 2
	for _, way := range ways {
		configs := slices.Concat(t.configs, way.configs)
		both := [2]target{
			{name: "none", program: t.program, configs: append(slices.Clip(configs), "configs/kept-none.yaml")},
			{name: "all", program: t.program, configs: append(slices.Clip(configs), "configs/kept-all.yaml")},
		}
		var extra []float64
		for n := range o.count {
			cost, err := pair(ctx, dir, both, s, n%2)
			if err != nil {
				return err
			}
			extra = append(extra, cost[1]-cost[0])
			fmt.Printf("%s, pair %2d: none kept %.2f, all kept %.2f CPU µs/span\n", way.name, n+1, cost[0], cost[1])
		}
		slices.Sort(extra)
		fmt.Printf("%s: a kept span costs %.2f CPU µs more than one that is not kept (%.2f to %.2f in %d pairs)\n",
			way.name, median(extra), extra[0], extra[len(extra)-1], len(extra))
	}
	return nil
}
