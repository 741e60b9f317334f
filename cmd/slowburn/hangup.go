package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// takeHangups has SIGHUP reload the policies, until ctx is done. Left to itself the Collector shuts the whole service down
// and starts it again, and dies of a configuration that is not valid.
//
// It asks for the signal when it has started, and cannot be told not to. So SIGHUP is ignored until it did, which the
// runtime tells, and then taken away from it. A signal that comes while the gateway starts has no effect: the
// configuration was just read.
func takeHangups(ctx context.Context, reload func(context.Context)) {
	const interval = time.Millisecond
	tick := clock.NewTicker(interval)
	defer tick.Stop()
	for signal.Ignored(syscall.SIGHUP) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
	signals := make(chan os.Signal, 1)
	signal.Ignore(syscall.SIGHUP) // takes it from whoever asked
	signal.Notify(signals, syscall.SIGHUP)
	defer signal.Stop(signals)
	for {
		select {
		case <-signals:
			reload(ctx)
		case <-ctx.Done():
			return
		}
	}
}
