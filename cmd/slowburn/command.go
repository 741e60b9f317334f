package main

import (
	"context"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/slowburn/slowburn/internal/access"
)

// command is the Collector's, with what is slowburn's own.
func command() *cobra.Command {
	src := &source{}
	set := settings(src)
	src.settings = set.ConfigProviderSettings.ResolverSettings
	root := otelcol.NewCommand(set)
	src.watch(root.Flags())
	root.Version = versionLine()
	root.Short = set.BuildInfo.Description
	root.AddCommand(newExplain(), newRetry(), newHealth(), newDrain(), newConfig(), newCapacity(), newMan())
	run := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		access.KeepPrivate()
		signal.Ignore(syscall.SIGHUP)
		ctx, cancel := context.WithCancel(cmd.Context())
		var hangups sync.WaitGroup
		hangups.Go(func() { takeHangups(ctx, src.hangup) })
		defer hangups.Wait()
		defer cancel()
		return run(cmd, args)
	}
	root.AddCommand(sampleCommand())
	for _, cmd := range append(root.Commands(), root) {
		completeConfig(cmd)
	}
	return root
}

// completeConfig has a shell complete --config, where a command has it, to YAML files.
func completeConfig(cmd *cobra.Command) {
	if f := cmd.Flags().Lookup("config"); f != nil {
		f.Annotations = map[string][]string{cobra.BashCompFilenameExt: {"yaml", "yml"}}
	}
}
