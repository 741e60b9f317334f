package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 20 * time.Second
	logFile      = "gateway.log"
)

// dataDirVariable names the directory of the gateway's files.
const dataDirVariable = "SLOWBURN_DATA_DIR"

// dataDir is the demo's own directory: simulated spans do not get into the budgets of a gateway that was run here.
func dataDir() string {
	if dir := os.Getenv(dataDirVariable); dir != "" {
		return dir
	}
	return filepath.Join("slowburn-data", "demo")
}

// gateway is a slowburn process that the demo started.
type gateway struct {
	cmd  *exec.Cmd
	done chan struct{}
	log  string // the name of its log
	// stopping reports whether it ends on request.
	stopping atomic.Bool
}

// startGateway starts slowburn and waits until it takes spans. If it ends by itself after that, ended is called with the
// reason.
func startGateway(ctx context.Context, ended func(error), o options, hook string) (*gateway, error) {
	if listens(ctx, o.endpoint) {
		return nil, fmt.Errorf("something listens on %s already: stop it, or use it with --gateway ''", o.endpoint)
	}
	dir := dataDir()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, logFile))
	if err != nil {
		return nil, err
	}
	defer log.Close()

	var args []string
	for file := range strings.SplitSeq(o.config, ",") {
		args = append(args, "--config", file)
	}
	// Its own process group: Ctrl-C must reach the shop first, so that its last spans still find the gateway.
	g := &gateway{cmd: exec.Command(o.gateway, args...), done: make(chan struct{}), log: log.Name()} //nolint:noctx // stopped by stop
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	g.cmd.Env = append(os.Environ(), "SLOWBURN_DEMO_WEBHOOK="+hook, dataDirVariable+"="+dir)
	g.cmd.Stdout, g.cmd.Stderr = log, log
	if err := g.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the gateway: %w", err)
	}
	go func() {
		_ = g.cmd.Wait()
		asked := g.stopping.Load()
		close(g.done)
		if !asked {
			ended(fmt.Errorf("the gateway ended: %s; its log is %s", g.cmd.ProcessState, g.log))
		}
	}()
	if err := g.await(ctx, o.endpoint); err != nil {
		g.stop()
		return nil, fmt.Errorf("%w; its log is %s", err, g.log)
	}
	return g, nil
}

// await returns once the gateway listens.
func (g *gateway) await(ctx context.Context, endpoint string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := clock.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if listens(ctx, endpoint) {
			return nil
		}
		select {
		case <-g.done:
			return fmt.Errorf("the gateway ended: %s", g.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("the gateway does not listen on %s", endpoint)
		case <-tick.C:
		}
	}
}

func listens(ctx context.Context, endpoint string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", endpoint)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// stop asks the gateway to end, and kills it if it does not.
func (g *gateway) stop() {
	g.stopping.Store(true)
	_ = g.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	select {
	case <-g.done:
	case <-clock.After(stopTimeout):
		_ = g.cmd.Process.Kill()
		<-g.done
	}
}
