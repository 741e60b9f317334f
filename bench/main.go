// Command bench measures slowburn and its peers side by side, from outside: processor time by the kernel's accounting
// over spans accepted, resident memory over spans buffered, request latency, and kept traces. See
// docs/performance.md for how to read it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/slowburn/slowburn/bench/load"
)

type options struct {
	suite, only, json string
	profile           string
	rate, runs        int
	connections       int
	perRequest        int // spans
	http              bool
	clients           int // of the dashboard's API
	wait, window      time.Duration
	revive            time.Duration
	memory            string
	instructions      bool
	// a and b are the binaries of suite pair, count how many pairs, and config is added to the shipped one.
	a, b, config string
	memoryB      string // of b
	count        int
	update       bool // floor.json
}

// reference is the target that the others are compared with.
const reference = "contrib best"

func main() {
	var o options
	flag.StringVar(&o.suite, "suite", "compare", "compare, policies, protocols, buffer, connections, batch, max, waits, kept, apimix, objectives, pair, hard or floor")
	flag.StringVar(&o.only, "only", "", "targets to measure, separated by commas; when empty all, and slowburn and contrib best for policies; suites apimix, hard and floor: a part of the name of what is asked, done or held")
	flag.StringVar(&o.json, "json", "", "write every run to this file as well")
	flag.IntVar(&o.rate, "rate", 100_000, "spans per second")
	flag.IntVar(&o.connections, "connections", 8, "connections that the generator sends over, where the suite does not say")
	flag.IntVar(&o.perRequest, "spans-per-request", 200, "spans per request, where the suite does not say")
	flag.BoolVar(&o.http, "http", false, "send over HTTP, where the suite does not say")
	flag.IntVar(&o.clients, "clients", 16, "suite apimix: clients that ask the API at once")
	flag.IntVar(&o.runs, "runs", 3, "runs per target, in turn")
	flag.DurationVar(&o.wait, "wait", 10*time.Second, "decision_wait, so rate × wait spans are buffered")
	flag.DurationVar(&o.window, "window", 15*time.Second, "how long each run measures")
	flag.DurationVar(&o.revive, "revive", 5*time.Second, "slowburn's revive_window, where the suite does not say; a measurement that needs a full buffer waits for it too")
	flag.StringVar(&o.memory, "memory", "512MiB", "slowburn's memory_budget; 512MiB is what ships")
	flag.BoolVar(&o.instructions, "instructions", false, "count instructions per span, by perf, instead of CPU time, which that would raise")
	flag.StringVar(&o.profile, "profile", "", "write slowburn's CPU profile of the last run to this file")
	flag.StringVar(&o.a, "a", "", "suite pair: the binary to compare with, such as that of the commit before; other suites: slowburn's binary, built when empty")
	flag.StringVar(&o.b, "b", "", "suite pair: the binary that is compared; the same one again shows how exact the machine is")
	flag.StringVar(&o.memoryB, "memory-b", "", "suite pair: memory_budget of --b, where it is to have another than --memory")
	flag.IntVar(&o.count, "pairs", 10, "suites pair, kept, hard and floor: how often both are measured, at once and with half of --rate each")
	flag.BoolVar(&o.update, "update", false, "suite floor: write what was measured to floor.json in place of comparing with it")
	flag.StringVar(&o.config, "config", "", "suite pair: a configuration for both beside the shipped one, such as configs/kept-nine.yaml")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.perRequest < 1 {
		return fmt.Errorf("--spans-per-request %d: write at least 1", o.perRequest)
	}
	if suite := map[string]func(context.Context, string) error{"pair": o.pairs, "kept": o.kept, "apimix": o.apimix, "objectives": o.objectives, "hard": o.hard, "floor": o.floor}[o.suite]; suite != nil {
		var dir string
		if dir, err = os.MkdirTemp("", "slowburn-bench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		return suite(ctx, dir)
	}
	scenarios, err := o.scenarios()
	if err != nil {
		return err
	}
	chosen, err := o.targets()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "slowburn-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fmt.Fprintln(os.Stderr, "building the targets")
	if err := build(ctx, dir, chosen); err != nil {
		return err
	}
	var jobs []job
	for _, s := range scenarios {
		jobs = append(jobs, job{s, chosen})
	}
	rows, err := o.measureAll(ctx, dir, jobs)
	if err != nil {
		return err
	}
	for scenario := range slices.Chunk(rows, len(chosen)) {
		table(os.Stdout, scenario, reference)
		if o.suite == "policies" {
			policyTable(os.Stdout, scenario, reference)
		}
		if o.suite == "waits" {
			heldTable(os.Stdout, scenario)
		}
	}
	if o.json != "" {
		return writeJSON(o.json, rows)
	}
	return nil
}

// job is a scenario, and the targets that are measured under it.
type job struct {
	scenario
	targets []target
}

// measureAll runs the targets in turn under all scenarios, A B A B, so that other load of the machine affects all of them. It
// returns the rows by scenario.
func (o options) measureAll(ctx context.Context, dir string, jobs []job) ([]row, error) {
	var rows []row
	for _, j := range jobs {
		for _, t := range j.targets {
			rows = append(rows, row{Scenario: j.name, Target: t.name, Buffered: j.buffered()})
		}
	}
	for n := range o.runs {
		i := 0
		for _, j := range jobs {
			for _, t := range j.targets {
				fmt.Fprintf(os.Stderr, "%s: %s, run %d of %d\n", j.name, t.name, n+1, o.runs)
				r, err := measure(ctx, dir, t, j.scenario)
				if err != nil {
					return nil, err
				}
				rows[i].Runs = append(rows[i].Runs, r)
				i++
			}
		}
	}
	return rows, nil
}

// targets returns the targets that --only names, or all of the suite.
func (o options) targets() ([]target, error) {
	only := o.only
	if only == "" && o.suite == "policies" {
		only = "slowburn," + reference
	}
	var names []string
	for _, t := range targets {
		names = append(names, t.name)
	}
	if only != "" {
		names = strings.Split(only, ",")
	}
	var chosen []target
	for _, name := range names {
		t, err := o.target(name)
		if err != nil {
			return nil, fmt.Errorf("--only: %w", err)
		}
		chosen = append(chosen, t)
	}
	if o.suite == "policies" {
		return withPolicies(chosen)
	}
	return chosen, nil
}

// base returns the load that suites vary.
func (o options) base() scenario {
	return scenario{
		load: load.Settings{
			Connections: o.connections, SpansPerRequest: o.perRequest, Rate: o.rate, Protocol: load.Protocol{HTTP: o.http}, Mix: load.Mix{FailingOneIn: 100, SlowOneIn: 100},
		},
		wait: o.wait, window: o.window, memory: o.memory, revive: o.revive, profile: o.profile,
		instructions: o.instructions,
	}
}

// scenarios returns the loads of the chosen suite.
func (o options) scenarios() ([]scenario, error) {
	base := o.base()
	vary := func(name string, change func(*scenario)) scenario {
		s := base
		change(&s)
		s.name = name
		return s
	}
	var list []scenario
	switch o.suite {
	case "compare", "policies":
		list = append(list, vary(fmt.Sprintf("gRPC, %d spans/s, %d spans buffered", o.rate, base.buffered()), func(*scenario) {}))
	case "protocols":
		for _, p := range []load.Protocol{{}, {Gzip: true}, {HTTP: true}, {HTTP: true, Gzip: true}} {
			list = append(list, vary(p.String(), func(s *scenario) { s.load.Protocol = p }))
		}
	case "buffer":
		for _, spans := range []int{10_000, 100_000, 500_000, 1_000_000, 2_000_000} {
			list = append(list, vary(fmt.Sprintf("%d spans buffered", spans), func(s *scenario) {
				s.wait = time.Duration(float64(spans) / float64(s.load.Rate) * float64(time.Second))
				s.revive = 0           // it would hold as many again
				s.load.Connections = 2 // with more, traces at this rate take longer to arrive than the shortest wait
			}))
		}
	case "connections":
		for _, n := range []int{1, 4, 16, 64} {
			list = append(list, vary(fmt.Sprintf("%d connections", n), func(s *scenario) { s.load.Connections = n }))
		}
	case "batch":
		for _, n := range []int{10, 50, 200, 1000, 2000} {
			list = append(list, vary(fmt.Sprintf("%d spans per request", n), func(s *scenario) { s.load.SpansPerRequest = n }))
		}
	case "max":
		list = append(list, vary("as fast as it accepts", func(s *scenario) {
			s.load.Rate = 0
			s.load.Connections = 4
			s.wait = min(s.wait, 2*time.Second)
		}))
	case "waits":
		for _, w := range []struct{ decision, revive time.Duration }{{10 * time.Second, 5 * time.Second}, {60 * time.Second, 30 * time.Second}} {
			list = append(list, vary(fmt.Sprintf("decision_wait %v, revive_window %v", w.decision, w.revive), func(s *scenario) {
				s.wait, s.revive, s.settled = w.decision, w.revive, true
			}))
		}
	default:
		return nil, fmt.Errorf("--suite %q must be compare, policies, protocols, buffer, connections, batch, max, waits, kept, apimix, objectives, pair, hard or floor", o.suite)
	}
	return list, nil
}
