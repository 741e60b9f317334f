package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// takeHangups calls reload at each SIGHUP until ctx is done. Without it the Collector restarts the whole service at SIGHUP,
// and exits if the configuration is not valid.
//
// The Collector subscribes to the signal when it has started, and has no option to leave it out. So takeHangups ignores
// SIGHUP until the runtime reports that subscription, and then takes the signal over. A signal while the gateway starts has
// no effect: the configuration was just read.
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
	signal.Ignore(syscall.SIGHUP) // ends all subscriptions
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
