//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

// A gateway runs with the configuration of the plain manifests, which is the chart's: with the pod's environment and files, it delivers
// spans, has the policies of the second ConfigMap, and continues after a restart with the same data.
func TestManifestsRun(t *testing.T) {
	dir := t.TempDir()
	for name, files := range configMaps(t, "../../deploy/kubernetes/slowburn.yaml") {
		for file, text := range files {
			require.Contains(t, []string{"slowburn", "slowburn-policies"}, name)
			text = strings.ReplaceAll(text, "/etc/slowburn/policies", dir)
			require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
		}
	}
	collector := startBackend(t, "--collector", "--max-bytes", strconv.Itoa(64<<20))
	g := newGateway(t, builtGateway(t), []string{"SLOWBURN_BACKEND=" + collector.grpc, "POD_NAME=slowburn-0", "GOMEMLIMIT=921MiB"})
	g.backend = collector
	g.configs = []string{"--config", filepath.Join(dir, "config.yaml"), "--config", "testdata/ports.yaml"}
	g.start(t)

	var names []string
	for _, p := range g.policies(t).Policies {
		names = append(names, p.Name)
	}
	assert.Equal(t, []string{"errors", "slow", "rest"}, names)
	made := newTraffic(1)
	first, second := made.trace(failing, time.Now()), made.trace(failing, time.Now())
	for _, td := range first {
		send(t, g.client(t), td)
	}
	g.stop(t)
	g.start(t)
	for _, td := range second {
		send(t, g.client(t), td)
	}
	g.awaitSettled(t)
	assert.Equal(t, content(t, append(first, second...)...), content(t, g.backend.spans(t)), "traces from before and after the restart")
}

// configMaps returns the data of the ConfigMaps in a file of manifests, by name.
func configMaps(t *testing.T, file string) map[string]map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	found := map[string]map[string]string{}
	for part := range strings.SplitSeq(string(text), "\n---\n") {
		retrieved, err := confmap.NewRetrievedFromYAML([]byte(part))
		require.NoError(t, err)
		raw, err := retrieved.AsRaw()
		require.NoError(t, err)
		object, ok := raw.(map[string]any)
		if !ok || object["kind"] != "ConfigMap" {
			continue
		}
		files := map[string]string{}
		for name, data := range object["data"].(map[string]any) {
			files[name] = data.(string)
		}
		found[object["metadata"].(map[string]any)["name"].(string)] = files
	}
	require.Len(t, found, 2)
	return found
}
