package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/tracestore"
)

var rewrite = flag.Bool("rewrite", false, "write what the code gives into testdata, instead of comparing")

const sampleData = "testdata/sample/"

func sample(t *testing.T, stdin []byte, args ...string) (string, error) {
	t.Setenv("SLOWBURN_DATA_DIR", t.TempDir())
	var out bytes.Buffer
	cmd := command()
	cmd.SetArgs(append([]string{"sample"}, args...))
	cmd.SetIn(bytes.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err := cmd.Execute()
	return out.String(), err
}

// The output that users compare in CI is the same in every run.
func TestSample(t *testing.T) {
	for _, output := range []string{"text", "json"} {
		t.Run(output, func(t *testing.T) {
			got, err := sample(t, nil, "--policies", sampleData+"policies.yaml", "--output", output, sampleData+"traces.json")
			require.NoError(t, err)
			file := sampleData + "expected." + output
			if *rewrite {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

// Policies can be given as a whole configuration, as the section tail_sampling, or as a larger part of it.
func TestSamplePolicies(t *testing.T) {
	policies, err := os.ReadFile(sampleData + "policies.yaml")
	require.NoError(t, err)
	want, err := sample(t, nil, "--policies", sampleData+"policies.yaml", sampleData+"traces.json")
	require.NoError(t, err)
	indented := func(by string) string {
		return by + string(bytes.ReplaceAll(bytes.TrimSpace(policies), []byte("\n"), []byte("\n"+by))) + "\n"
	}
	for args, config := range map[string]string{
		"tail_sampling":      "tail_sampling:\n" + indented("  "),
		"configuration":      "processors:\n  tail_sampling:\n" + indented("    "),
		"tail_sampling/here": "processors:\n  tail_sampling: {}\n  tail_sampling/here:\n" + indented("    "),
	} {
		file := filepath.Join(t.TempDir(), "config.yaml")
		require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
		flags := []string{"--policies", file, sampleData + "traces.json"}
		if args == "tail_sampling/here" {
			flags = append(flags, "--processor", args)
		}
		got, err := sample(t, nil, flags...)
		require.NoError(t, err, args)
		require.Equal(t, want, got, args)
	}
}

func TestSampleReadsStandardInput(t *testing.T) {
	traces, err := os.ReadFile(sampleData + "traces.json")
	require.NoError(t, err)
	want, err := sample(t, nil, "--policies", sampleData+"policies.yaml", sampleData+"traces.json")
	require.NoError(t, err)
	got, err := sample(t, traces, "--policies", sampleData+"policies.yaml", "-")
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestBadSampleIsNamed(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	good, traces := sampleData+"policies.yaml", sampleData+"traces.json"
	for want, args := range map[string][]string{
		`required flag(s) "policies" not set`:            {traces},
		"requires at least 1 arg":                        {"--policies", good},
		"neither processors::tail_sampling nor policies": {"--policies", file("empty.yaml", "receivers: {}"), traces},
		"processors::tail_sampling/no is not set":        {"--policies", "../../config.yaml", "--processor", "tail_sampling/no", traces},
		`policies[0] "a": type: "nope" is not one of `:   {"--policies", file("type.yaml", "policies: [{name: a, type: nope}]"), traces},
		"no such file or directory":                      {"--policies", good, filepath.Join(dir, "none.json")},
		`--output "xml" is not known`:                    {"--policies", good, "--output", "xml", traces},
		"is neither OTLP JSON nor OTLP protobuf":         {"--policies", good, good},
		"no traces found":                                {"--policies", good, file("logs.json", `{"resourceLogs": []}`)},
		"the JSON after byte 0":                          {"--policies", good, file("bad.json", `{"resourceSpans": 1}`)},
	} {
		_, err := sample(t, nil, args...)
		require.ErrorContains(t, err, want)
	}
}

func TestPercentOfASample(t *testing.T) {
	require.Zero(t, percent(0, 0))
	require.InDelta(t, 25, percent(1, 4), 1e-9)
	require.InDelta(t, 100, percent(4, 4), 1e-9)
}

// broken is an output whose writes fail.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }

// TestOutputErrorsAreReported checks that a full disk behind a pipe is an error.
func TestOutputErrorsAreReported(t *testing.T) {
	now := time.Unix(0, 0)
	decisions := []api.Decision{{TraceID: traceID, DecidedAt: &now, FirstSpanAt: &now, Completeness: &api.Completeness{}}}
	require.ErrorIs(t, printJSON(broken{}, decisions, nil), os.ErrClosed)
	require.ErrorIs(t, printJSON(broken{}, nil, nil), os.ErrClosed)
	require.ErrorIs(t, printText(broken{}, decisions, nil), os.ErrClosed)
	require.ErrorIs(t, printExplanation(broken{}, decisions[0]), os.ErrClosed)
}

// Files of the Collector's file exporter are read, in each of its forms; see the README beside them.
func TestSampleReadsTheFileExporter(t *testing.T) {
	files, err := filepath.Glob(sampleData + "fileexporter/[nt]*")
	require.NoError(t, err)
	require.Len(t, files, 7)
	want, err := sample(t, nil, "--policies", sampleData+"policies.yaml", sampleData+"fileexporter/traces.json")
	require.NoError(t, err)
	require.Contains(t, want, "of 20 traces")
	for _, file := range files {
		got, err := sample(t, nil, "--policies", sampleData+"policies.yaml", file)
		require.NoError(t, err, file)
		require.Equal(t, want, got, file)
	}
}

// Traces of trace_store are read from its file or its directory, unless a gateway has it open.
func TestSampleReadsTheTraceStore(t *testing.T) {
	traces, err := os.ReadFile(sampleData + "fileexporter/traces.json")
	require.NoError(t, err)
	dir := t.TempDir()
	factory := tracestore.NewFactory()
	cfg := factory.CreateDefaultConfig().(*tracestore.Config)
	cfg.Directory = dir
	exporter, err := factory.CreateTraces(t.Context(), exportertest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, exporter.Start(t.Context(), componenttest.NewNopHost()))
	var u ptrace.JSONUnmarshaler
	for line := range bytes.Lines(traces) {
		td, err := u.UnmarshalTraces(line)
		require.NoError(t, err)
		require.NoError(t, exporter.ConsumeTraces(t.Context(), td))
	}
	args := []string{"--policies", sampleData + "policies.yaml", "--output", "json", dir}
	_, err = sample(t, nil, args...)
	require.ErrorContains(t, err, "a running gateway has the file open")
	require.NoError(t, exporter.Shutdown(t.Context()))

	verdicts := func(output string) map[string]string {
		of := map[string]string{}
		for line := range strings.Lines(output) {
			var d api.Decision
			require.NoError(t, json.Unmarshal([]byte(line), &d))
			of[d.TraceID] = d.Verdict + " " + d.Policy
		}
		return of
	}
	want, err := sample(t, nil, "--policies", sampleData+"policies.yaml", "--output", "json", sampleData+"fileexporter/traces.json")
	require.NoError(t, err)
	for _, name := range []string{dir, filepath.Join(dir, "traces.db")} {
		got, err := sample(t, nil, append(args[:len(args)-1:len(args)-1], name)...)
		require.NoError(t, err)
		require.Equal(t, verdicts(want), verdicts(got))
	}
}
