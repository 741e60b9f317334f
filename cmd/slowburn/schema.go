package main

import (
	"github.com/spf13/cobra"

	"github.com/slowburn/slowburn"
)

// newSchema returns the command that prints the JSON Schema of a configuration.
func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a configuration",
		Long: "Print the JSON Schema (draft 7) of a configuration: every key of every component with its type, default and bounds. " +
			"With it an editor completes keys and marks unknown ones. `slowburn validate` checks more: the values of a " +
			"component together, and the pipelines.",
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
