package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/slowburn/slowburn/bench/proc"
)

// target is a program that receives OTLP and is measured.
type target struct {
	name    string
	program string   // the binary's name in the build directory, or its absolute path
	configs []string // as --config; none for a program without configuration
	// samples reports whether it keeps traces and sends them to the sink.
	samples bool
	memory  string // slowburn's memory_budget, if it is not the scenario's
}

// isSlowburn reports whether the target is slowburn, of this tree or another binary.
func (t target) isSlowburn() bool { return t.program != "contrib" && t.program != "raw" }

var targets = []target{
	{name: "slowburn", program: "slowburn", configs: []string{"../config.yaml", "configs/slowburn.yaml"}, samples: true},
	{name: "slowburn memory", program: "slowburn", configs: []string{"../config.yaml", "configs/slowburn.yaml", "configs/memory.yaml"}, samples: true},
	{name: "slowburn compressed", program: "slowburn", configs: []string{"../config.yaml", "configs/slowburn.yaml", "configs/compressed.yaml"}, samples: true},
	{name: "contrib best", program: "contrib", configs: []string{"configs/contrib-best.yaml"}, samples: true},
	{name: "contrib shipped", program: "contrib", configs: []string{"configs/contrib.yaml"}, samples: true},
	{name: "Collector nop", program: "contrib", configs: []string{"configs/nop.yaml"}},
	{name: "raw receive", program: "raw"},
}

// doors are targets with a component in front of the sampler, for --suite hard and floor.
var doors = []target{
	{name: "slowburn attributes", program: "slowburn", configs: []string{"../config.yaml", "configs/slowburn.yaml", "configs/door-attributes.yaml"}, samples: true},
	{name: "slowburn decoded", program: "slowburn", configs: []string{"../config.yaml", "configs/slowburn.yaml", "configs/door-decoded.yaml"}, samples: true},
	{name: "slowburn batch", program: "slowburn", configs: []string{"../config.yaml", "configs/slowburn.yaml", "configs/door-batch.yaml"}, samples: true},
	{name: "contrib attributes", program: "contrib", configs: []string{"configs/contrib-best.yaml", "configs/contrib-attributes.yaml"}, samples: true},
	{name: "contrib batch", program: "contrib", configs: []string{"configs/contrib-best.yaml", "configs/contrib-batch.yaml"}, samples: true},
}

// targetNamed returns the target with the name, a usual one or a door.
func targetNamed(name string) (target, bool) {
	all := slices.Concat(targets, doors)
	i := slices.IndexFunc(all, func(t target) bool { return t.name == name })
	if i < 0 {
		return target{}, false
	}
	return all[i], true
}

// packages are the packages of the targets' programs.
var packages = map[string]string{"contrib": "./peers/contrib", "raw": "./peers/raw", "slowburn": "../cmd/slowburn"}

// build compiles the chosen targets' programs into dir.
func build(ctx context.Context, dir string, chosen []target) error {
	built := map[string]bool{}
	for _, t := range chosen {
		program, pkg := t.program, packages[t.program]
		if built[program] || filepath.IsAbs(program) {
			continue
		}
		built[program] = true
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(dir, program), ".")
		cmd.Dir = pkg
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", program, err, out)
		}
	}
	return nil
}

// running is a started target.
type running struct {
	cmd  *exec.Cmd
	done chan struct{}
	grpc string
	http string
	web  string // the dashboard's address, for --suite apimix
	// pprof is where slowburn's profiler listens, for --profile.
	pprof string
	log   string
	// group is the control group that it runs in, or nil.
	group *proc.Group
}

// start runs the target on ports of its own and with a data directory that is empty, and waits until it listens.
func (t target) start(ctx context.Context, dir, sink string, s scenario) (*running, error) {
	data, err := os.MkdirTemp(dir, "data-")
	if err != nil {
		return nil, err
	}
	r := &running{done: make(chan struct{}), log: filepath.Join(data, "log")}
	if r.grpc, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	if r.http, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	if r.web, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	if r.pprof, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	log, err := os.Create(r.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	var args []string
	configs := t.configs
	if t.samples {
		configs = slices.Concat(configs, s.configs)
	}
	if s.grouped && t.isSlowburn() {
		configs = append(slices.Clip(configs), "configs/grouped.yaml")
	}
	for _, config := range configs {
		args = append(args, "--config", config)
	}
	if s.profile != "" && t.isSlowburn() {
		args = append(args, "--config", "configs/pprof.yaml")
	}
	traces := max(1000, s.buffered()*3/2/spansPerTrace)
	if s.load.Rate == 0 {
		traces = 1_000_000 // more than any target takes within the wait: contrib evicts what is beyond
	}
	program := t.program
	if !filepath.IsAbs(program) {
		program = filepath.Join(dir, program)
	}
	line := append([]string{program}, args...)
	if s.grouped {
		if line, err = r.enter(t, s, line); err != nil {
			return nil, err
		}
	}
	r.cmd = exec.Command(line[0], line[1:]...) //nolint:noctx // stopped by stop
	r.cmd.Env = append(os.Environ(),
		"BENCH_GRPC="+r.grpc, "BENCH_HTTP="+r.http, "BENCH_SINK="+sink,
		"BENCH_WAIT="+s.wait.String(), "BENCH_TRACES="+strconv.Itoa(traces),
		"BENCH_TRACES_PER_SECOND="+strconv.Itoa(max(1, s.load.Rate/spansPerTrace)),
		"BENCH_PPROF="+r.pprof, "BENCH_WEB="+r.web,
		"BENCH_MEMORY="+cmp.Or(t.memory, s.memory), "BENCH_REVIVE="+s.revive.String(),
		"BENCH_REST="+strconv.FormatFloat(s.rest, 'f', -1, 64), "SLOWBURN_DATA_DIR="+data)
	r.cmd.Stdout, r.cmd.Stderr = log, log
	if err := r.cmd.Start(); err != nil {
		return nil, errors.Join(err, r.leave())
	}
	go func() {
		_ = r.cmd.Wait()
		close(r.done)
	}()
	if err := r.await(ctx); err != nil {
		r.stop()
		text, _ := os.ReadFile(r.log)
		return nil, fmt.Errorf("%s does not start: %w\n%s", t.name, err, text)
	}
	return r, nil
}

func (r *running) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", r.grpc); err == nil {
			return conn.Close()
		}
		select {
		case <-r.done:
			return fmt.Errorf("it ended: %s", r.cmd.ProcessState)
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (r *running) stop() {
	_ = r.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	select {
	case <-r.done:
	case <-time.After(20 * time.Second):
		_ = r.cmd.Process.Kill()
		<-r.done
	}
	_ = r.leave() // an empty group that stays costs nothing
}

// failure says that the process has ended, and the end of its log, nil while it runs.
func (r *running) failure() error {
	select {
	case <-r.done:
		text, _ := os.ReadFile(r.log)
		return fmt.Errorf("the target ended: %s\n%s", r.cmd.ProcessState, text[max(0, len(text)-2000):])
	default:
		return nil
	}
}

// discard ends the process at once and deletes its data.
func (r *running) discard() error {
	_ = r.cmd.Process.Kill() // an error means that it has ended
	<-r.done
	return errors.Join(r.leave(), os.RemoveAll(filepath.Dir(r.log)))
}

func freeAddress(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
