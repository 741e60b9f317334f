//go:build deploy

package check

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// compose is the part of the Compose specification that the file uses; a key that is not here is refused.
type compose struct {
	Name     string
	Services map[string]service
	Volumes  map[string]struct{}
}

type service struct {
	Image       string
	Build       struct{ Context, Dockerfile, Target string }
	Command     []string
	Environment map[string]string
	Volumes     []string
	Ports       []string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	StdinOpen   bool     `yaml:"stdin_open"`
	StopGrace   string   `yaml:"stop_grace_period"`
	Restart     string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck *healthcheck
}

type healthcheck struct {
	Test                           []string
	Interval, Timeout, StartPeriod string
	Retries                        int
}

// UnmarshalYAML lets start_period have its name.
func (h *healthcheck) UnmarshalYAML(node *yaml.Node) error {
	var v struct {
		Test        []string
		Interval    string
		Timeout     string
		StartPeriod string `yaml:"start_period"`
		Retries     int
	}
	err := node.Decode(&v)
	*h = healthcheck{v.Test, v.Interval, v.Timeout, v.StartPeriod, v.Retries}
	return err
}

const composeDir = "deploy/compose"

// strictly decodes a YAML file, and refuses keys that its type has not.
func strictly(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	require.NoError(t, d.Decode(into), file)
}

func readCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	strictly(t, filepath.Join(composeDir, "compose.yaml"), &c)
	require.Len(t, c.Services, 4)
	return c
}

// TestComposeServices: pinned, on loopback, without privileges, and started in the order of their health.
func TestComposeServices(t *testing.T) {
	c := readCompose(t)
	pinned := regexp.MustCompile(`:v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$`)
	dockerfile, err := os.ReadFile("deploy/docker/Dockerfile")
	require.NoError(t, err)
	for name, s := range c.Services {
		if s.Build.Target != "" {
			assert.Contains(t, string(dockerfile), " AS "+s.Build.Target+"\n", name)
			assert.FileExists(t, filepath.Join(composeDir, s.Build.Context, s.Build.Dockerfile), name)
		} else {
			assert.Regexp(t, pinned, s.Image, name)
		}
		for _, port := range s.Ports {
			assert.True(t, strings.HasPrefix(port, "127.0.0.1:"), "%s publishes %s", name, port)
		}
		assert.Equal(t, []string{"ALL"}, s.CapDrop, name)
		assert.Equal(t, []string{"no-new-privileges:true"}, s.SecurityOpt, name)
		for other, d := range s.DependsOn {
			require.Contains(t, c.Services, other, name)
			assert.Equal(t, "service_healthy", d.Condition, name)
			require.NotNil(t, c.Services[other].Healthcheck, "%s waits for the health of %s", name, other)
		}
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if !strings.HasPrefix(from, ".") {
				assert.Contains(t, c.Volumes, from, name)
			} else {
				_, err := os.Stat(filepath.Join(composeDir, from))
				assert.NoError(t, err, name)
			}
		}
	}
	assert.Equal(t, []string{"CMD", "/usr/bin/slowburn", "health"}, c.Services["slowburn"].Healthcheck.Test)
	assert.Contains(t, c.Services["shop"].DependsOn, "slowburn")
}

// TestComposeRuns: the gateway's configuration, in the order of its command, is valid, and Grafana's sources find what they ask for.
func TestComposeRuns(t *testing.T) {
	s := readCompose(t).Services["slowburn"]
	files := map[string]string{
		"/etc/slowburn/config.yaml": "config.yaml", "/etc/slowburn/image.yaml": "deploy/docker/image.yaml",
		"/etc/slowburn/self.yaml": "deploy/monitoring/self.yaml", "/etc/slowburn/compose.yaml": filepath.Join(composeDir, "slowburn.yaml"),
	}
	args := []string{abs(t, binary)}
	for _, arg := range s.Command {
		if file, ok := files[arg]; ok {
			arg = abs(t, file)
		}
		args = append(args, arg)
	}
	env := []string{"SLOWBURN_DATA_DIR=" + t.TempDir()}
	for key, value := range s.Environment {
		env = append(env, key+"="+value)
	}
	runIn(t, env, args[0], append([]string{"validate"}, args[1:]...)...)

	g := start(t, program{root: "/", args: args, env: env})
	g.ready(t)
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL string
			IsDefault                    bool           `yaml:"isDefault"`
			JSONData                     map[string]any `yaml:"jsonData"`
		}
	}
	strictly(t, filepath.Join(composeDir, "grafana/provisioning/datasources/slowburn.yaml"), &sources)
	asked := map[string]string{"prometheus": "/api/v1/status/buildinfo", "jaeger": "/api/services"}
	found := 0
	for _, source := range sources.Datasources {
		u, err := url.Parse(source.URL)
		require.NoError(t, err)
		require.Contains(t, readCompose(t).Services, u.Hostname())
		if u.Hostname() != "slowburn" {
			continue
		}
		found++
		assert.Equal(t, http.StatusOK, statusAs(t, "http://127.0.0.1:"+u.Port()+u.Path+asked[source.Type], u.Host), source.Name)
	}
	assert.Equal(t, http.StatusMisdirectedRequest, statusAs(t, "http://127.0.0.1:8080/api/v1/status/buildinfo", "evil.example"))
	assert.Equal(t, 2, found)
	assert.Equal(t, http.StatusOK, status("http://127.0.0.1:8888/metrics"))
}

// TestComposeDashboards: where Grafana looks for dashboards is where they are mounted.
func TestComposeDashboards(t *testing.T) {
	var d struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Folder, Type string
			AllowUIUpdates     bool `yaml:"allowUiUpdates"`
			Options            map[string]string
		}
	}
	strictly(t, filepath.Join(composeDir, "grafana/provisioning/dashboards/slowburn.yaml"), &d)
	require.Len(t, d.Providers, 1)
	assert.Contains(t, readCompose(t).Services["grafana"].Volumes, "../monitoring/dashboards:"+d.Providers[0].Options["path"]+":ro")
}
