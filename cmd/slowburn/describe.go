package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/slowburn/slowburn"
)

// newMan makes the command that writes manual pages from the command tree.
func newMan() *cobra.Command {
	var directory string
	cmd := &cobra.Command{
		Use:   "man",
		Short: "Write manual pages, one per command",
		Long: "Write the manual pages slowburn.1, slowburn-explain.1 and so on, made from the commands' own help. Packages ship " +
			"them; `man -l slowburn.1` shows one. They bear today's month, or that of SOURCE_DATE_EPOCH if it is set.",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := os.MkdirAll(directory, 0o755); err != nil { //nolint:gosec // manual pages are for everybody
				return fmt.Errorf("--directory: %w", err)
			}
			root := cmd.Root()
			untag(root)
			return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "slowburn " + version, Manual: "slowburn"}, directory)
		},
	}
	cmd.Flags().StringVar(&directory, "directory", ".", "where to write them; it is made if it is not there")
	return cmd
}

// untag leaves out the line that says when a page was made, which would make two builds of one commit differ.
func untag(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true
	for _, c := range cmd.Commands() {
		untag(c)
	}
}

// newSchema makes the command that prints the JSON Schema of a configuration.
func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a configuration",
		Long: "Print the JSON Schema (draft 7) of a configuration: every key of every component with its type, default and bounds. " +
			"An editor that has it completes keys and marks those that do not exist. `slowburn validate` knows more: what " +
			"components make of their values together, and which pipelines carry what.",
		Example: "  slowburn schema > slowburn.schema.json\n" +
			"  # and as the first line of a configuration: # yaml-language-server: $schema=slowburn.schema.json",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			schema, err := slowburn.ConfigSchema()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(schema)
			return err
		},
	}
}
