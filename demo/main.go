// Command demo runs the gateway together with a simulated shop, whose faults are switched from the terminal, and a
// webhook receiver that prints what it is told.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/slowburn/slowburn/demo/shop"
)

type options struct {
	gateway  string
	config   string
	endpoint string
	rate     float64
	faults   string
	duration time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.gateway, "gateway", "bin/slowburn", "the slowburn binary to start; empty uses one that runs already")
	flag.StringVar(&o.config, "config", "config.yaml,demo/slowburn.yaml", "the gateway's configuration files")
	flag.StringVar(&o.endpoint, "endpoint", "127.0.0.1:4317", "the gateway's OTLP/gRPC endpoint")
	flag.Float64Var(&o.rate, "rate", 20, "customers per second")
	flag.StringVar(&o.faults, "faults", "", "faults to start with, separated by commas")
	flag.DurationVar(&o.duration, "duration", 0, "stop after this long; 0 runs until Ctrl-C")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, in io.Reader, out io.Writer) (err error) {
	if o.rate <= 0 || o.rate > 1000 {
		return fmt.Errorf("--rate %v must be above 0 and at most 1000 customers per second", o.rate)
	}
	ctx, abort := context.WithCancelCause(ctx)
	cancel := func() { abort(nil) }
	defer cancel()
	if o.duration > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, o.duration)
		defer stop()
	}

	hook, err := startReceiver(ctx, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hook.close()) }()
	if o.gateway != "" {
		gateway, err := startGateway(ctx, abort, o, hook.url())
		if err != nil {
			return err
		}
		defer gateway.stop()
	}

	s, err := shop.New(ctx, o.endpoint)
	if err != nil {
		return err
	}
	if o.faults != "" {
		for name := range strings.SplitSeq(o.faults, ",") {
			fault, err := shop.ParseFault(strings.TrimSpace(name))
			if err != nil {
				return err
			}
			s.Faults.Set(fault, true)
		}
	}

	terminal := &terminal{out: out, faults: &s.Faults, quit: cancel}
	terminal.menu()
	go terminal.read(bufio.NewScanner(in)) // ends with the process: a read from a terminal cannot be interrupted
	visits := drive(ctx, s, o.rate)
	ended := context.Cause(ctx) // the gateway's end is told; that the demo was stopped is not
	if errors.Is(ended, context.Canceled) || errors.Is(ended, context.DeadlineExceeded) {
		ended = nil
	} else {
		fmt.Fprintln(out, "\nThe gateway has ended by itself.")
	}
	fmt.Fprintf(out, "\n%d visits, %d of them failed. Closing the shop.\n", visits.all, visits.failed)

	closing, done := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer done()
	return errors.Join(ended, s.Close(closing))
}
