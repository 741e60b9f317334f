//go:build unix

package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHangupsReload checks that SIGHUP reloads, and reaches only us, once the Collector has registered for it.
func TestHangupsReload(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Ignore(syscall.SIGHUP) // a signal in flight must not end the test
	ctx, cancel := context.WithCancel(t.Context())
	reloads := make(chan struct{}, 100)
	var taking sync.WaitGroup
	taking.Go(func() { takeHangups(ctx, func(context.Context) { reloads <- struct{}{} }) })

	hangup := func() { require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP)) }
	hangup()
	assert.Empty(t, reloads, "nobody has asked for it")
	others := make(chan os.Signal, 100)
	signal.Notify(others, syscall.SIGHUP)
	require.Eventually(t, func() bool { hangup(); return len(reloads) > 0 }, time.Minute, time.Millisecond)
	for len(others) > 0 { // signals from before it was caught
		<-others
	}
	heard := len(reloads)
	hangup()
	require.Eventually(t, func() bool { return len(reloads) > heard }, time.Minute, time.Millisecond)
	assert.Empty(t, others)
	signal.Notify(others, syscall.SIGHUP) // or a signal in flight ends the test
	cancel()
	taking.Wait()
}

// TestHangupsEndWithTheCommand checks that a command that ends before the Collector registers for the signal does not hang.
func TestHangupsEndWithTheCommand(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	takeHangups(ctx, func(context.Context) { t.Error("there was no signal") })
}
