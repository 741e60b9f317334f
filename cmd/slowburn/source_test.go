package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A reload reads the sources of the command line: files in their order, then --set.
func TestSourceReadsWhatTheCommandReads(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	t.Setenv("WAIT", "7s")
	src := &source{settings: collectorSettings(nil).ConfigProviderSettings.ResolverSettings}
	read := func(key string) any {
		conf, err := src.Load(t.Context())
		require.NoError(t, err)
		return conf.Get(key)
	}
	const wait, size = "processors::tail_sampling::decision_wait", "processors::tail_sampling::num_traces"
	require.Equal(t, "60s", read(wait), "the embedded configuration")

	root := command()
	src.watch(root.Flags())
	a, b := write("a.yaml", "processors: {tail_sampling: {decision_wait: 1s}}"), write("b.yaml", `processors: {tail_sampling: {decision_wait: "${env:WAIT}"}}`)
	require.NoError(t, root.ParseFlags([]string{"--set", "processors.tail_sampling.num_traces = 5", "--config", a, "--config=" + b}))
	require.Equal(t, "7s", read(wait))
	require.Equal(t, 5, read(size))
	t.Setenv("WAIT", "8s")
	require.Equal(t, "8s", read(wait))
	write("b.yaml", "processors: {tail_sampling: {decision_wait: 9s}}")
	require.Equal(t, "9s", read(wait))
	write("b.yaml", "{")
	_, err := src.Load(t.Context())
	require.ErrorContains(t, err, "yaml")
}

func TestHangupsReachListeners(t *testing.T) {
	src := &source{}
	heard := map[string]int{}
	listen := func(name string) func() { return src.OnHangup(func(context.Context) { heard[name]++ }) }
	a := listen("a")
	listen("b")
	src.hangup(t.Context())
	a()
	src.hangup(t.Context())
	require.Equal(t, map[string]int{"a": 1, "b": 2}, heard)
}

// Each source of the configuration is listed separately, those that override others after them.
func TestSourceLocations(t *testing.T) {
	src := &source{settings: collectorSettings(nil).ConfigProviderSettings.ResolverSettings}
	names := func() (names []string) {
		locations, err := src.Locations(t.Context())
		require.NoError(t, err)
		for _, l := range locations {
			names = append(names, l.Name)
		}
		return names
	}
	require.Equal(t, []string{"the shipped configuration"}, names())
	file := filepath.Join(t.TempDir(), "a.yaml")
	require.NoError(t, os.WriteFile(file, []byte("processors: {tail_sampling: {policies: []}}"), 0o600))
	root := command()
	src.watch(root.Flags())
	require.NoError(t, root.ParseFlags([]string{"--set", "processors.tail_sampling.decision_wait=5s", "--config", "../../config.yaml", "--config=" + file, "--config", "yaml:{a: 1}"}))
	require.Equal(t, []string{"../../config.yaml", file, "--config yaml:…", "--set"}, names())
	locations, err := src.Locations(t.Context())
	require.NoError(t, err)
	require.True(t, locations[0].Conf.IsSet("processors::tail_sampling::decision_wait"))
	require.False(t, locations[1].Conf.IsSet("processors::tail_sampling::decision_wait"))
	require.Equal(t, "https://user:xxxxx@example.com/a.yaml", src.nameOf("https://user:secret@example.com/a.yaml"))
}
