package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/internal/otlpfile"
	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/processor/tracestore"
)

const sampleHelp = `Runs recorded traces through tail sampling policies, without a gateway, and prints what is kept and why.

The files are OTLP traces as the Collector's file exporter writes them: JSON, or protobuf with lengths, compressed with zstd
or not; - is the standard input. Or they are what trace_store keeps: its file, traces.db, or the directory with it, which no running
gateway may have open. What that holds was kept already, so what is printed is of kept traces. Time is that of the spans, so that rates and waits are what they would have been. The same
files and policies give the same output, which can be compared with an expected one:

  slowburn sample --policies config.yaml --output json traces.json | diff expected.json -`

// sampleCommand is `slowburn sample`.
func sampleCommand() *cobra.Command {
	var policies, processor, output string
	cmd := &cobra.Command{
		Use:          "sample --policies FILE TRACES...",
		Short:        "Try tail sampling policies on recorded traces",
		Long:         sampleHelp,
		Args:         cobra.MinimumNArgs(1),
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, files []string) error {
			print, known := map[string]func(io.Writer, []api.Decision, []api.PolicyDecisions) error{
				"text": printText, "json": printJSON,
			}[output]
			if !known {
				return fmt.Errorf("--output %q is not known: use text or json", output)
			}
			cfg, err := samplingConfig(cmd.Context(), policies, processor)
			if err != nil {
				return fmt.Errorf("--policies %s: %w", policies, err)
			}
			replay, err := tailsampling.NewReplay(cfg)
			if err != nil {
				return fmt.Errorf("--policies %s: %w", policies, err)
			}
			for _, file := range files {
				damaged, err := replayFile(replay, file, cmd.InOrStdin())
				if err != nil {
					return fmt.Errorf("%s: %w", file, err)
				}
				if damaged > 0 {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d damaged traces, or chunks of traces, were skipped\n", file, damaged)
				}
			}
			explained, did := replay.Finish()
			if len(explained) == 0 {
				return errors.New("no traces found: check that the input is OTLP, and that its spans have trace IDs")
			}
			return print(cmd.OutOrStdout(), api.DecisionsOf(explained), api.PolicyDecisionsOf(did))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&policies, "policies", "", "a configuration with a tail_sampling processor, or what stands under tail_sampling (required)")
	flags.StringVar(&processor, "processor", "tail_sampling", "the processor's name, if a whole configuration has several")
	flags.StringVarP(&output, "output", "o", "text", "text, or json: an object per trace and line, then one for the policies")
	if err := cmd.MarkFlagRequired("policies"); err != nil {
		panic(err) // there is no such flag
	}
	return cmd
}

// samplingConfig reads a processor's configuration from a file, or from any other location that the gateway's --config takes.
func samplingConfig(ctx context.Context, uri, processor string) (*tailsampling.Config, error) {
	set := collectorSettings(&source{}).ConfigProviderSettings.ResolverSettings
	set.URIs, set.ConverterFactories, set.DefaultScheme = []string{uri}, nil, "env"
	resolver, err := confmap.NewResolver(set)
	if err != nil {
		return nil, err
	}
	conf, err := resolver.Resolve(ctx)
	if err = errors.Join(err, resolver.Shutdown(ctx)); err != nil {
		return nil, err
	}
	at := "processors::" + processor
	switch {
	case conf.IsSet(at):
		conf, err = conf.Sub(at)
	case conf.IsSet("processors"):
		return nil, fmt.Errorf("%s is not set; name the processor with --processor", at)
	case conf.IsSet("tail_sampling"):
		conf, err = conf.Sub("tail_sampling")
	case !conf.IsSet("policies") && !conf.IsSet("rules"):
		return nil, errors.New("has neither processors::tail_sampling nor policies or rules")
	}
	if err != nil {
		return nil, err
	}
	cfg := tailsampling.NewFactory().CreateDefaultConfig().(*tailsampling.Config)
	return cfg, conf.Unmarshal(cfg)
}

// replayFile replays a file, and returns how often it met a damaged trace.
func replayFile(replay *tailsampling.Replay, name string, stdin io.Reader) (damaged int, err error) {
	requests, closeFile, err := requestsOf(name, stdin)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, closeFile()) }()
	for request, err := range requests {
		if errors.Is(err, tracestore.ErrDamaged) {
			damaged++
			continue
		}
		if err == nil {
			err = replay.Add(request)
		}
		if err != nil {
			return damaged, err
		}
	}
	return damaged, nil
}

// requestsOf opens the standard input, a trace store's directory or file, or an OTLP file, by its name.
func requestsOf(name string, stdin io.Reader) (requests iter.Seq2[[]byte, error], closeFile func() error, err error) {
	nothing := func() error { return nil }
	if name == "-" {
		return otlpfile.Read(stdin), nothing, nil
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		name = filepath.Join(name, tracestore.FileName)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	begin := make([]byte, tracestore.MagicBytes)
	n, _ := f.ReadAt(begin, 0)
	if tracestore.IsFile(begin[:n]) {
		return tracestore.ReadFile(name), nothing, f.Close()
	}
	return otlpfile.Read(f), f.Close, nil
}

func printJSON(out io.Writer, decisions []api.Decision, policies []api.PolicyDecisions) error {
	e := json.NewEncoder(out)
	for i := range decisions {
		if err := e.Encode(&decisions[i]); err != nil {
			return err
		}
	}
	return e.Encode(struct {
		Policies []api.PolicyDecisions `json:"policies"`
	}{policies})
}

func printText(out io.Writer, decisions []api.Decision, policies []api.PolicyDecisions) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TRACE\tVERDICT\tPOLICY\tSTANDS FOR\tSPANS\tBYTES\tDURATION")
	var kept, spans, keptSpans, bytes, keptBytes int64
	for i := range decisions {
		d := &decisions[i]
		c := d.Completeness
		standsFor := "-"
		if d.AdjustedCount > 0 {
			standsFor = fmt.Sprintf("%.4g", d.AdjustedCount)
		}
		long := time.Duration(c.DurationSeconds * float64(time.Second)).Round(time.Microsecond)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%v\n", d.TraceID, d.Verdict, decider(d), standsFor, c.Spans, c.Bytes, long)
		all := c.Spans + c.LateSpans
		spans, bytes = spans+all, bytes+c.Bytes
		if d.Verdict == "sampled" {
			kept, keptSpans, keptBytes = kept+1, keptSpans+all, keptBytes+c.Bytes
		}
	}
	fmt.Fprintln(w, "\nPOLICY\tTYPE\tTRACES\tSPANS\tDROPPED TRACES")
	for _, p := range policies {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\n", p.Name, p.Type, p.SampledTraces, p.SampledSpans, p.DroppedTraces)
	}
	fmt.Fprintf(w, "\nkept %d of %d traces (%.3g %%), %d of %d spans, %d of %d bytes\n", kept, len(decisions),
		percent(kept, int64(len(decisions))), keptSpans, spans, keptBytes, bytes)
	return w.Flush()
}

// decider returns the name of the policy that decided, or of the rule, which decides even if it does not sample.
func decider(d *api.Decision) string {
	switch {
	case d.CompositePolicy != "":
		return d.Policy + "/" + d.CompositePolicy
	case d.Policy != "":
		return d.Policy
	}
	for _, v := range d.Votes {
		if v.Type == "rule" && v.Matched {
			return v.Name
		}
	}
	return "-"
}

func percent(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
