package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/slowburn/slowburn"
)

//go:embed second.yaml
var secondConfig []byte

// newConfig returns the command whose subcommands write configuration files.
func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write configuration to start from",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(
		newWriter("init [FILE]", "Write a commented second file: a backend, two objectives, a receiver", "ours.yaml", secondConfig),
		newWriter("default [FILE]", "Write the configuration that slowburn runs on without --config", "config.yaml", []byte(slowburn.DefaultConfig)),
	)
	return cmd
}

// newWriter returns a command that writes content to a new file: its argument, or name without one.
func newWriter(use, short, name string, content []byte) *cobra.Command {
	return &cobra.Command{
		Use:          use,
		Short:        short,
		Long:         short + ".\n\nFILE is " + name + " unless given; - is the standard output. An existing file is not overwritten.",
		Args:         cobra.MaximumNArgs(1),
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			file := name
			if len(args) > 0 {
				file = args[0]
			}
			if file == "-" {
				_, err := cmd.OutOrStdout().Write(content)
				return err
			}
			if err := writeNew(file, content); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is written. Check it: slowburn validate --config %s\n", file, pair(name, file))
			return err
		},
	}
}

// pair returns the --config flags that a run with the file needs.
func pair(name, file string) string {
	if name == "config.yaml" {
		return file
	}
	return "config.yaml --config " + file
}

// writeNew writes a file that must not exist yet, and removes it if writing fails.
func writeNew(file string, content []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640) //nolint:gosec // its group may run the gateway
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists and is not overwritten: name another file, or - to print", file)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}
