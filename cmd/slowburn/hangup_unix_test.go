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

// TestHangupsAreTaken holds that SIGHUP reloads, and reaches nobody else, once the Collector has asked for it.
func TestHangupsAreTaken(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Ignore(syscall.SIGHUP) // one that is under way must not end the test
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
	for len(others) > 0 { // those from before it was taken
		<-others
	}
	heard := len(reloads)
	hangup()
	require.Eventually(t, func() bool { return len(reloads) > heard }, time.Minute, time.Millisecond)
	assert.Empty(t, others)
	signal.Notify(others, syscall.SIGHUP) // or one that is under way ends the test
	cancel()
	taking.Wait()
}

// TestHangupsEndWithTheCommand holds that a command that ends before the Collector asked for the signal does not hang.
func TestHangupsEndWithTheCommand(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	takeHangups(ctx, func(context.Context) { t.Error("there was no signal") })
}
