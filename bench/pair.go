package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/slowburn/slowburn/bench/load"
	"github.com/slowburn/slowburn/bench/proc"
	"github.com/slowburn/slowburn/bench/sink"
)

// pairs compares two binaries of slowburn: both run at once under the same load, with ports and data of their own, so that
// other load of the machine affects both. Each pair starts anew, in alternating order.
func (o options) pairs(ctx context.Context, dir string) error {
	var both [2]target
	for i, path := range []string{o.a, o.b} {
		if path == "" {
			return errors.New("--suite pair needs two binaries: --a and --b")
		}
		program, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		if _, err := os.Stat(program); err != nil {
			return err
		}
		both[i] = target{name: "slowburn", program: program, configs: targets[0].configs}
		if o.config != "" {
			both[i].configs = append(slices.Clip(both[i].configs), o.config)
		}
	}
	both[1].memory = o.memoryB
	s := o.base()
	s.load.Rate /= 2
	var ratios []float64
	for n := range o.count {
		cost, err := pair(ctx, dir, both, s, n%2)
		if err != nil {
			return err
		}
		ratios = append(ratios, cost[1]/cost[0])
		fmt.Printf("pair %2d, %s first: A %.3f, B %.3f CPU µs/span, B/A %.4f\n", n+1, []string{"A", "B"}[n%2], cost[0], cost[1], cost[1]/cost[0])
	}
	summary(os.Stdout, ratios)
	return nil
}

// pair starts the two, one of them first, and returns the CPU time of each per accepted span, in microseconds.
func pair(ctx context.Context, dir string, both [2]target, s scenario, first int) (cost [2]float64, err error) {
	var processes [2]*running
	var generators [2]*load.Generator
	sending, cancel := context.WithCancel(ctx)
	sent := make(chan error, 2)
	started := 0
	defer func() {
		cancel()
		for range started {
			err = errors.Join(err, <-sent)
		}
		for _, p := range processes {
			if p != nil {
				err = errors.Join(err, p.discard())
			}
		}
	}()
	for _, i := range []int{first, 1 - first} {
		backend, err := sink.Start(ctx)
		if err != nil {
			return cost, err
		}
		defer backend.Stop()
		if processes[i], err = both[i].start(ctx, dir, backend.Endpoint(), s); err != nil {
			return cost, err
		}
		settings := s.load
		settings.Endpoint = processes[i].grpc
		if settings.Protocol.HTTP {
			settings.Endpoint = processes[i].http
		}
		generators[i] = load.New(settings)
	}
	for _, i := range []int{first, 1 - first} {
		started++
		go func() { sent <- generators[i].Run(sending) }()
	}
	if err := pause(ctx, s.wait+s.revive+2*time.Second); err != nil {
		return cost, err
	}
	var before, after [2]reading
	for i := range both {
		if before[i], err = read(processes[i], generators[i]); err != nil {
			return cost, err
		}
	}
	if err := pause(ctx, s.window); err != nil {
		return cost, err
	}
	for i := range both {
		if after[i], err = read(processes[i], generators[i]); err != nil {
			return cost, err
		}
		spans := after[i].Spans - before[i].Spans
		if refused := after[i].Refused - before[i].Refused; spans == 0 || refused > 0 {
			return cost, fmt.Errorf("%s accepted %d spans and refused %d: %w; choose a lower --rate",
				both[i].program, spans, refused, after[i].LastErr)
		}
		cost[i] = float64((after[i].cpu - before[i].cpu).Nanoseconds()) / 1e3 / float64(spans)
	}
	return cost, nil
}

// reading is the counters of a process at an instant.
type reading struct {
	load.Stats
	cpu time.Duration
}

func read(p *running, g *load.Generator) (r reading, err error) {
	r.Stats = g.Stats()
	r.cpu, err = proc.CPUTime(p.cmd.Process.Pid)
	return r, err
}

// summary prints the median of the ratios, and their spread.
func summary(out io.Writer, ratios []float64) {
	sorted := slices.Sorted(slices.Values(ratios))
	n := len(sorted)
	fmt.Fprintf(out, "B/A of %d pairs: median %.4f, middle half %.4f to %.4f, all %.4f to %.4f\n",
		n, median(sorted), sorted[n/4], sorted[(3*n-1)/4], sorted[0], sorted[n-1])
}
