package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/slowburn/slowburn/bench/load"
	"github.com/slowburn/slowburn/bench/proc"
	"github.com/slowburn/slowburn/bench/sink"
)

const spansPerTrace = load.SpansPerTrace

// scenario is one load.
type scenario struct {
	name   string
	load   load.Settings
	wait   time.Duration // decision_wait
	window time.Duration // of the measurement, once the buffer has its final size
	memory string        // slowburn's memory_budget
	revive time.Duration // slowburn's revive_window
	// settled delays the measurement until the number of revivable traces is final, too.
	settled bool
	// profile is a file for slowburn's CPU profile of the window; none when empty.
	profile string
	// instructions counts instructions in place of CPU time.
	instructions bool
	// rest is the share of the traces without an error and not slow that are kept, in percent, for configs/kept-share.yaml.
	rest float64
	// configs are added to those of the targets that sample.
	configs []string
	// grouped has each target run in a control group of its own, slowburn with a limit of its memory_budget and spareMemory, so that
	// page cache counts.
	grouped bool
	// stored says that suites hard and floor leave slowburn its trace_store.
	stored bool
}

// spareMemory is the memory that slowburn may use beyond its memory_budget in a control group.
const spareMemory = 256 << 20

// buffered returns the number of spans that wait for a decision at a time.
func (s scenario) buffered() int { return int(float64(s.load.Rate) * s.wait.Seconds()) }

// result is one run of a target under a scenario.
type result struct {
	CPUPerSpan float64 `json:"cpu_us_per_span"`
	// Instructions per span, user and kernel, in place of CPUPerSpan if the scenario counts them.
	Instructions float64       `json:"instructions_per_span,omitempty"`
	Rate         float64       `json:"accepted_spans_per_second"`
	Refused      float64       `json:"refused_share"`
	Resident     float64       `json:"resident_bytes"`  // median over the window
	Anonymous    float64       `json:"anonymous_bytes"` // median over the window
	Peak         float64       `json:"peak_bytes"`
	Disk         float64       `json:"disk_bytes"` // of slowburn's span log, median over the window
	P50          time.Duration `json:"p50_ns"`
	P99          time.Duration `json:"p99_ns"`
	P999         time.Duration `json:"p999_ns"`
	// Charged is the memory that counts against the limit, including page cache; WorkingSet is without pages that were not used lately.
	// Both are medians over the window, 0 if the scenario does not measure them. ReadPerSpan is the bytes read from the disk per span.
	Charged     float64    `json:"charged_bytes,omitempty"`
	WorkingSet  float64    `json:"working_set_bytes,omitempty"`
	ReadPerSpan float64    `json:"disk_read_bytes_per_span"`
	Kept        sink.Tally `json:"kept"`
	LastRefusal string     `json:"last_refusal,omitempty"`
}

// measure runs a target once: it fills the buffer, measures a window, lets the buffer drain, and counts the kept traces.
func measure(ctx context.Context, dir string, t target, s scenario) (result, error) {
	backend, err := sink.Start(ctx)
	if err != nil {
		return result{}, err
	}
	defer backend.Stop()
	process, err := t.start(ctx, dir, backend.Endpoint(), s)
	if err != nil {
		return result{}, err
	}
	defer process.stop()

	settings := s.load
	settings.Endpoint = process.grpc
	if settings.Protocol.HTTP {
		settings.Endpoint = process.http
	}
	generator := load.New(settings)
	sending, cancel := context.WithCancel(ctx)
	defer cancel()
	sent := make(chan error, 1)
	go func() { sent <- generator.Run(sending) }()

	fill := s.wait + 2*time.Second
	if s.settled {
		fill += s.revive
	}
	if err := pause(ctx, fill); err != nil {
		return result{}, err
	}
	generator.ResetLatencies()
	profiled := make(chan error, 1)
	go func() { profiled <- process.profile(ctx, t, s) }()
	r, err := window(ctx, process, generator, s)
	err = errors.Join(err, <-profiled)
	if err != nil {
		return result{}, fmt.Errorf("%s: %w", t.name, err)
	}
	cancel()
	if err := <-sent; err != nil {
		return result{}, err
	}
	if t.samples {
		if err := pause(ctx, s.wait+3*time.Second); err != nil {
			return result{}, err
		}
		r.Kept = backend.Tally(settings.Mix, generator.Finished())
	}
	return r, nil
}

// profile writes slowburn's CPU profile of the window to the scenario's file, if it has one.
func (r *running) profile(ctx context.Context, t target, s scenario) error {
	if s.profile == "" || !t.isSlowburn() {
		return nil
	}
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", r.pprof, int(s.window.Seconds()))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	file, err := os.Create(s.profile)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, resp.Body)
	return errors.Join(err, file.Close())
}

// window measures the process and the files of its span log for the scenario's window.
func window(ctx context.Context, process *running, g *load.Generator, s scenario) (result, error) {
	pid, directory := process.cmd.Process.Pid, filepath.Join(filepath.Dir(process.log), "spans")
	var counting *proc.Counting
	if s.instructions {
		var err error
		if counting, err = proc.CountInstructions(ctx, pid); err != nil {
			return result{}, err
		}
	}
	before := g.Stats()
	cpu, err := proc.CPUSeconds(pid)
	if err != nil {
		return result{}, err
	}
	read, err := proc.ReadBytes(pid)
	if err != nil {
		return result{}, err
	}
	begin := time.Now()
	var total, anonymous, disk, charged, working []float64
	var peak uint64
	for time.Since(begin) < s.window {
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return result{}, err
		}
		m, err := proc.Resident(pid)
		if err != nil {
			return result{}, err
		}
		total = append(total, float64(m.Total))
		anonymous = append(anonymous, float64(m.Anonymous))
		disk = append(disk, bytesIn(directory))
		peak = m.Peak
		if s.grouped {
			c, err := process.charged(m)
			if err != nil {
				return result{}, err
			}
			charged, working = append(charged, float64(c.Total)), append(working, float64(c.WorkingSet))
		}
	}
	elapsed := time.Since(begin).Seconds()
	after := g.Stats()
	cpuAfter, err := proc.CPUSeconds(pid)
	if err != nil {
		return result{}, err
	}
	readAfter, err := proc.ReadBytes(pid)
	if err != nil {
		return result{}, err
	}
	spans := float64(after.Spans - before.Spans)
	refused := float64(after.Refused - before.Refused)
	if spans == 0 {
		return result{}, fmt.Errorf("nothing was accepted; the last refusal was: %w", after.LastErr)
	}
	r := result{
		CPUPerSpan: (cpuAfter - cpu) * 1e6 / spans, Rate: spans / elapsed, Refused: refused / (spans + refused),
		Resident: median(total), Anonymous: median(anonymous), Peak: float64(peak), Disk: median(disk),
		P50: after.P50, P99: after.P99, P999: after.P999,
		Charged: median(charged), WorkingSet: median(working), ReadPerSpan: float64(readAfter-read) / spans,
	}
	if counting != nil {
		instructions, err := counting.Stop()
		if err != nil {
			return result{}, err
		}
		r.CPUPerSpan, r.Instructions = 0, instructions/spans
	}
	if after.LastErr != nil {
		r.LastRefusal = after.LastErr.Error()
	}
	return r, nil
}

// bytesIn returns the disk space of the files in a directory in bytes; 0 if there is no directory.
func bytesIn(directory string) (bytes float64) {
	entries, _ := os.ReadDir(directory)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			if stat, ok := info.Sys().(*syscall.Stat_t); ok {
				const block = 512
				bytes += float64(stat.Blocks * block)
			}
		}
	}
	return bytes
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
