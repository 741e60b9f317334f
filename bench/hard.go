package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slowburn/slowburn/bench/load"
)

// hardShare is the share of traces kept in --suite hard, in percent, unless a part varies it.
const hardShare = 9

// hardPart is a part of --suite hard.
type hardPart struct {
	name string
	do   func(options, context.Context, string) error
}

// hardParts are the parts of --suite hard: costly loads, with many traces kept and a buffer larger than memory.
var hardParts = []hardPart{
	{"noise: slowburn beside itself", options.hardNoise},
	{"beside: contrib and slowburn at the same time", options.hardBeside},
	{"store: the shipped pipeline, without and with trace_store", options.hardStore},
	{"kept: 1, 3, 10 and 100 % of the traces", options.hardKept},
	{"buffer: a half, one, two and eight times memory_budget", options.hardBuffer},
	{"connections: 1 to 256", options.hardConnections},
	{"names: 200 services with 1,000 operations each", options.hardNames},
	{"doors: attributes, a component that decodes, and batch in front", options.hardDoors},
	{"latency: at a half and at nine tenths of what is accepted, and at 270,000 spans/s", options.hardLatency},
}

// hard runs all parts, the one that --only names, or those whose names contain it. One that fails does not keep the others from being measured.
func (o options) hard(ctx context.Context, dir string) error {
	chosen := hardParts
	if o.only != "" {
		chosen = slices.DeleteFunc(slices.Clone(hardParts), func(p hardPart) bool { return !strings.HasPrefix(p.name, o.only+":") })
	}
	if len(chosen) == 0 {
		chosen = slices.DeleteFunc(slices.Clone(hardParts), func(p hardPart) bool { return !strings.Contains(p.name, o.only) })
	}
	if len(chosen) == 0 {
		return fmt.Errorf("--only: no part of --suite hard has %q in its name", o.only)
	}
	if err := o.buildHard(ctx, dir); err != nil {
		return err
	}
	var errs []error
	for _, p := range chosen {
		fmt.Printf("\n## %s\n", p.name)
		if err := p.do(o, ctx, dir); err != nil {
			err = fmt.Errorf("%s: %w", p.name, err)
			fmt.Fprintln(os.Stderr, err)
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// buildHard builds slowburn, unless --a names it, and the peers.
func (o options) buildHard(ctx context.Context, dir string) error {
	var needed []target
	for _, name := range []string{"slowburn", reference, "raw receive"} {
		t, err := o.target(name)
		if err != nil {
			return err
		}
		needed = append(needed, t)
	}
	fmt.Fprintln(os.Stderr, "building the targets")
	return build(ctx, dir, needed)
}

// target returns the target with the name; slowburn's binary is that of --a, if it is set.
func (o options) target(name string) (target, error) {
	t, ok := targetNamed(name)
	if !ok {
		return t, fmt.Errorf("there is no target %q", name)
	}
	if t.isSlowburn() && o.a != "" {
		program, err := filepath.Abs(o.a)
		if err != nil {
			return t, err
		}
		t.program = program
	}
	return t, nil
}

// hardLoad returns the load of --suite hard: nine of a hundred traces are kept and sent to a backend, without trace_store.
func (o options) hardLoad() scenario {
	s := o.base()
	s.settled, s.grouped = true, true
	keep(&s, hardShare)
	return s
}

// keep sets the percentage of traces that are kept. A quarter of them, but at most 1 % of all traces, has an error; as many are slow;
// the policy for the rest keeps the others.
func keep(s *scenario, percent float64) {
	each := min(percent/4, 1)
	oneIn := uint64(100 / each)
	s.load.Mix = load.Mix{FailingOneIn: oneIn, SlowOneIn: oneIn}
	each = 100 / float64(oneIn)
	s.rest = 100 * (percent - 2*each) / (100 - 2*each)
	s.configs = []string{"configs/kept-share.yaml"}
}

func (o options) hardNoise(ctx context.Context, dir string) error {
	return o.beside(ctx, dir, "slowburn", "slowburn", o.hardLoad())
}

func (o options) hardBeside(ctx context.Context, dir string) error {
	return o.beside(ctx, dir, reference, "slowburn", o.hardLoad())
}

// beside measures two targets --pairs times, at the same time and each with half of the rate, and prints the ratios.
func (o options) beside(ctx context.Context, dir, a, b string, s scenario) error {
	ratios, err := o.ratios(ctx, dir, a, b, s)
	if err == nil {
		fmt.Printf("%s (A) and %s (B), CPU time per span at the same time, %d spans/s each\n", a, b, s.load.Rate/2)
		summary(os.Stdout, ratios)
	}
	return err
}

// ratios returns the ratio of the cost of a span with b to that with a, for each of --pairs pairs. The two of a pair run at the same
// time.
func (o options) ratios(ctx context.Context, dir, a, b string, s scenario) (ratios []float64, err error) {
	var both [2]target
	for i, name := range []string{a, b} {
		if both[i], err = o.target(name); err != nil {
			return nil, err
		}
		if both[i].isSlowburn() && !s.stored {
			both[i].configs = slices.Concat(both[i].configs, []string{"configs/kept-backend.yaml"})
		}
	}
	return o.pairRatios(ctx, dir, both, s)
}

// pairRatios is ratios of two targets.
func (o options) pairRatios(ctx context.Context, dir string, both [2]target, s scenario) (ratios []float64, err error) {
	s.load.Rate /= 2
	for n := range o.count {
		cost, err := pair(ctx, dir, both, s, n%2)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "pair %d: %s %.2f, %s %.2f CPU µs/span, ratio %.3f\n", n+1, both[0].name, cost[0], both[1].name, cost[1], cost[1]/cost[0])
		ratios = append(ratios, cost[1]/cost[0])
	}
	return ratios, nil
}

// turns measures targets in turn under scenarios and prints a table of each.
func (o options) turns(ctx context.Context, dir string, scenarios []scenario, names ...string) error {
	var jobs []job
	for _, s := range scenarios {
		j := job{scenario: s}
		for _, name := range names {
			t, err := o.target(name)
			if err != nil {
				return err
			}
			if t.isSlowburn() && !s.stored {
				t.configs = slices.Concat(t.configs, []string{"configs/kept-backend.yaml"})
			}
			j.targets = append(j.targets, t)
		}
		jobs = append(jobs, j)
	}
	rows, err := o.measureAll(ctx, dir, jobs)
	if err != nil {
		return err
	}
	for scenario := range slices.Chunk(rows, len(names)) {
		hardTable(os.Stdout, scenario, reference)
	}
	return nil
}

// vary returns the load with a name and a change.
func (o options) vary(name string, change func(*scenario)) scenario {
	s := o.hardLoad()
	change(&s)
	s.name = name
	return s
}

func (o options) hardStore(ctx context.Context, dir string) error {
	return o.turns(ctx, dir, []scenario{
		o.vary("without trace_store", func(*scenario) {}),
		o.vary("with trace_store", func(s *scenario) { s.stored = true }),
	}, "slowburn")
}

// hardKept measures no contrib with all traces kept: contrib sends one trace at a time, and accepts no spans meanwhile.
func (o options) hardKept(ctx context.Context, dir string) error {
	var list []scenario
	for _, percent := range []float64{1, 3, 10} {
		list = append(list, o.vary(fmt.Sprintf("%.0f %% kept", percent), func(s *scenario) { keep(s, percent) }))
	}
	if err := o.turns(ctx, dir, list, "slowburn", reference); err != nil {
		return err
	}
	return o.turns(ctx, dir, []scenario{o.vary("100 % kept, at half the rate", func(s *scenario) {
		keep(s, 100)
		s.load.Rate /= 2 // the backend decodes all of it, on the same machine
	})}, "slowburn")
}

// leastBudget is the smallest memory_budget of hardBuffer, in MiB.
const leastBudget = 8

func (o options) hardBuffer(ctx context.Context, dir string) error {
	base := o.hardLoad()
	bytes := float64(base.buffered()) * load.New(base.load).BytesPerSpan()
	var list []scenario
	for _, factor := range []float64{0.5, 1, 2, 8} {
		budget := int(bytes/factor) >> 20
		if budget < leastBudget {
			return fmt.Errorf("%.1f MB are buffered, and a share of %v is too little for a memory_budget: raise --rate or --wait", bytes/1e6, 1/factor)
		}
		list = append(list, o.vary(fmt.Sprintf("%.0f MB buffered, %v of memory_budget (%d MiB)", bytes/1e6, factor, budget), func(s *scenario) {
			s.memory = fmt.Sprintf("%dMiB", budget)
		}))
	}
	return o.turns(ctx, dir, list, "slowburn")
}

func (o options) hardConnections(ctx context.Context, dir string) error {
	var list []scenario
	for _, n := range []int{1, 4, 16, 64, 256} {
		list = append(list, o.vary(fmt.Sprintf("%d connections", n), func(s *scenario) { s.load.Connections = n }))
	}
	return o.turns(ctx, dir, list, "slowburn")
}

func (o options) hardNames(ctx context.Context, dir string) error {
	return o.turns(ctx, dir, []scenario{
		o.vary("12 names in 5 services", func(*scenario) {}),
		o.vary("200,000 names in 200 services", func(s *scenario) { s.load.Names = load.Names{Services: 200, Operations: 1000} }),
	}, "slowburn")
}

func (o options) hardDoors(ctx context.Context, dir string) error {
	return o.turns(ctx, dir, []scenario{o.vary("what stands in front", func(*scenario) {})},
		"slowburn", "slowburn attributes", "slowburn decoded", "slowburn batch", reference, "contrib attributes", "contrib batch")
}

// fixedRate is the rate in spans per second at which hardLatency measures slowburn whatever it accepts, so that versions and machines
// can be compared.
const fixedRate = 270_000

// hardLatency measures each target's highest rate, and then the latency of an export at a half and at nine tenths of it; slowburn's also
// at fixedRate.
func (o options) hardLatency(ctx context.Context, dir string) error {
	for _, name := range []string{"slowburn", reference} {
		t, err := o.target(name)
		if err != nil {
			return err
		}
		if t.isSlowburn() {
			t.configs = slices.Concat(t.configs, []string{"configs/kept-backend.yaml"})
		}
		full := o.vary("as fast as "+name+" accepts, 500 spans per request", func(s *scenario) {
			s.load.Rate, s.load.SpansPerRequest, s.wait = 0, 500, min(s.wait, 2*time.Second)
		})
		rows, err := o.measureAll(ctx, dir, []job{{full, []target{t}}})
		if err != nil {
			return err
		}
		accepted, _ := rows[0].of(func(r result) float64 { return r.Rate })
		if accepted == 0 {
			return errors.New(name + " accepted nothing")
		}
		var jobs []job
		for _, share := range []float64{0.5, 0.9} {
			at := full
			at.load.Rate = int(accepted * share)
			at.name = fmt.Sprintf("at %.0f %% of what %s accepts, %d spans/s, 500 spans per request", 100*share, name, at.load.Rate)
			jobs = append(jobs, job{at, []target{t}})
		}
		if t.isSlowburn() {
			at := full
			at.load.Rate = fixedRate
			at.name = fmt.Sprintf("at %d spans/s, 500 spans per request", fixedRate)
			jobs = append(jobs, job{at, []target{t}})
		}
		more, err := o.measureAll(ctx, dir, jobs)
		if err != nil {
			return err
		}
		for _, r := range append(rows, more...) {
			hardTable(os.Stdout, []row{r}, reference)
		}
	}
	return nil
}
