//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/web/api"
)

// configMap is a folder that changes as Kubernetes changes one that is mounted from a ConfigMap: its files are links into ..data, a link
// to a folder, which each change replaces.
type configMap struct {
	dir     string
	version int
}

func (m *configMap) set(t *testing.T, files map[string]string) {
	t.Helper()
	m.version++
	name := fmt.Sprintf("..version_%d", m.version)
	require.NoError(t, os.Mkdir(filepath.Join(m.dir, name), 0o700))
	for file, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(m.dir, name, file), []byte(text), 0o600))
		if m.version == 1 {
			require.NoError(t, os.Symlink(filepath.Join("..data", file), filepath.Join(m.dir, file)))
		}
	}
	next := filepath.Join(m.dir, "..data_tmp")
	require.NoError(t, os.Symlink(name, next))
	require.NoError(t, os.Rename(next, filepath.Join(m.dir, "..data")))
}

// The policies are in a folder that is mounted from a ConfigMap, as in the Helm chart. A change is applied without a signal. After an
// invalid change the former version stays, and /readyz reports it without making the gateway unready.
func TestWatchedFolder(t *testing.T) {
	m := &configMap{dir: t.TempDir()}
	set := func(policy, shadow string) {
		m.set(t, map[string]string{"policies.yaml": "- {name: " + policy + "}\n", "shadow.yaml": shadow})
	}
	set("v1, type: always_sample", "null\n")
	config := filepath.Join(t.TempDir(), "policies.yaml")
	text := fmt.Sprintf("processors: {tail_sampling: {watch: 1s, policies: \"${file:%s/policies.yaml}\", shadow: \"${file:%s/shadow.yaml}\"}}", m.dir, m.dir)
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	g := startGateway(t, nil, config)
	client := g.client(t)
	await := func(what string, done func(api.Policies) bool) {
		t.Helper()
		require.Eventually(t, func() bool { return done(g.policies(t)) }, patience, 50*time.Millisecond, what)
	}

	set("v2, type: always_sample", "null\n")
	await("the policies do not change", func(p api.Policies) bool { return p.Version == 2 && p.Policies[0].Name == "v2" })
	set("v2, type: always_sample", "policies: [{name: candidate, type: always_sample}]\n")
	await("the shadow does not start", func(p api.Policies) bool { return p.Version == 3 && p.LastError == nil })

	set("v3, type: no_such_type", "null\n")
	await("the invalid policies are not reported", func(p api.Policies) bool { return p.LastError != nil })
	p := g.policies(t)
	assert.Equal(t, 3, p.Version)
	assert.Contains(t, p.LastError.Detail, "no_such_type")
	status, body := g.request(t, http.MethodGet, "/readyz")
	assert.Equal(t, http.StatusOK, status, "the gateway still accepts spans")
	assert.Contains(t, string(body), "version 3 stays")
	assert.Contains(t, string(body), "no_such_type")
	send(t, client, newTraffic(1).trace(boring, time.Now())[0])

	set("v4, type: always_sample", "null\n")
	await("the corrected policies are not applied", func(p api.Policies) bool { return p.Version == 4 && p.LastError == nil })
	_, body = g.request(t, http.MethodGet, "/readyz")
	assert.NotContains(t, string(body), "Reloading the policies failed")
}
