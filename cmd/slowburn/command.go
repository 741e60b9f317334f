package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/slowburn/slowburn/cmd/slowburn/internal/checks"
	"github.com/slowburn/slowburn/cmd/slowburn/internal/datadir"
	"github.com/slowburn/slowburn/cmd/slowburn/internal/odd"
	"github.com/slowburn/slowburn/cmd/slowburn/internal/ports"
	"github.com/slowburn/slowburn/cmd/slowburn/internal/rehearsal"
	"github.com/slowburn/slowburn/internal/access"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/otlp/wirepath"
)

// command returns the Collector's command with slowburn's subcommands.
func command() *cobra.Command {
	src := &source{}
	set := collectorSettings(src)
	src.settings = set.ConfigProviderSettings.ResolverSettings
	root := otelcol.NewCommand(set)
	src.watch(root.Flags())
	root.Version = versionLine()
	root.Short = set.BuildInfo.Description
	root.AddCommand(newExplain(), newRetry(), newHealth(), newDrain(), newConfig(), newCapacity(), newSchema())
	run := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		access.KeepPrivate()
		signal.Ignore(syscall.SIGHUP)
		if err := src.check(cmd.Context()); err != nil {
			return err
		}
		clock.NotBeforeFiles(cmp.Or(os.Getenv("SLOWBURN_DATA_DIR"), "slowburn-data"))
		if err := src.shareMemory(cmd.Context()); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(cmd.Context())
		var hangups sync.WaitGroup
		hangups.Go(func() { takeHangups(ctx, src.hangup) })
		defer hangups.Wait()
		defer cancel()
		whole, err := src.whole(ctx)
		if err != nil {
			return run(cmd, args) // the Collector reports the error
		}
		release, err := datadir.Claim(whole)
		if err != nil {
			return err
		}
		defer release()
		directories := datadir.Of(whole)
		src.open = odd.OpenToAll(directories)
		src.greeting.Data(datadir.Roots(directories))
		return ports.Explain(run(cmd, args), whole.ToStringMap())
	}
	sayMemoryOf(root, src)
	root.AddCommand(sampleCommand())
	warnValidated(root, src)
	for _, cmd := range append(root.Commands(), root) {
		completeConfig(cmd)
	}
	return root
}

// sayMemoryOf adds a flag to validate that prints how the memory limit would be shared here. The gateway may run elsewhere.
func sayMemoryOf(root *cobra.Command, src *source) {
	for _, cmd := range root.Commands() {
		if cmd.Name() != "validate" {
			continue
		}
		src.watch(cmd.Flags())
		validate := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := validate(cmd, args); err != nil {
				return err
			}
			if err := src.shareMemory(cmd.Context()); err != nil {
				cmd.PrintErrln("Memory, with this machine's limit: " + err.Error())
			} else if src.memory != nil {
				cmd.PrintErrln("Memory, with this machine's limit: " + src.memory.String())
			}
			return nil
		}
	}
}

// completeConfig makes shells complete --config to YAML files, for each command that has the flag.
func completeConfig(cmd *cobra.Command) {
	if f := cmd.Flags().Lookup("config"); f != nil {
		f.Annotations = map[string][]string{cobra.BashCompFilenameExt: {"yaml", "yml"}}
	}
}

// warnValidated makes the Collector's validate print the warnings of a start too. Warnings are no error.
func warnValidated(root *cobra.Command, src *source) {
	for _, cmd := range root.Commands() {
		if cmd.Name() != "validate" {
			continue
		}
		src.watch(cmd.Flags())
		validate := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := src.check(cmd.Context()); err != nil {
				return err
			}
			if err := validate(cmd, args); err != nil {
				return err
			}
			var lines rehearsal.Lines
			cfg, err := src.read(cmd.Context(), lines.Logger("environment"))
			if err != nil {
				return err
			}
			whole := confmap.New()
			if err := whole.Marshal(cfg); err != nil {
				return err
			}
			inventory, oddities := checks.Inventory(cfg), slices.Concat(odd.Warnings(cfg, whole), odd.OpenToAll(datadir.Of(whole)))
			if err := src.rehearse(cmd.Context(), cfg, &lines); err != nil {
				return err
			}
			cmd.PrintErrln(inventory)
			written, err := src.written(cmd.Context())
			if err != nil {
				return err
			}
			for _, line := range wirepath.Explain(written) {
				cmd.PrintErrln("Decoded: " + line)
			}
			warnings := slices.Concat(src.units.Warnings(), oddities, wirepath.Notices(written))
			for _, line := range lines.All() {
				if !slices.Contains(warnings, line) { // components of ours say some while they are made
					warnings = append(warnings, line)
				}
			}
			for _, w := range warnings {
				if _, err := fmt.Fprintln(cmd.ErrOrStderr(), "Warning: "+w); err != nil {
					return err
				}
			}
			return nil
		}
	}
}
