package spec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/spec"
)

func TestLoad(t *testing.T) {
	got, err := spec.Load(nil, []string{"testdata/good.yaml"})
	require.NoError(t, err)
	require.Equal(t, []slo.Objective{
		{
			Name: "checkout-availability", Description: "People can pay.", Service: "checkout",
			Labels: map[string]string{"team": "shop"}, Target: 0.999, Window: 30 * 24 * time.Hour,
			Indicator: slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{
				Service: "checkout", Kind: "server", Operations: []string{"POST /checkout"},
				Attributes: map[string]string{"http.route": "/checkout"},
			}},
			Tiers: slo.DefaultTiers(), MinBadEvents: 3, KeepFiringFor: 5 * time.Minute, Receivers: []string{"oncall"},
		},
		{
			Name: "checkout-latency", Service: "shop", Target: 0.99, Window: 28 * 24 * time.Hour,
			Indicator: slo.Indicator{Type: slo.Latency, Spans: slo.SpanSelector{Service: "checkout"}, Threshold: 300 * time.Millisecond},
			Tiers: []slo.Tier{
				{Severity: slo.Page, LongWindow: time.Hour, ShortWindow: 5 * time.Minute, Share: 0.02},
				{Severity: slo.Ticket, LongWindow: 24 * time.Hour, ShortWindow: 2 * time.Hour, Share: slo.ShareOf(3, 24*time.Hour, 28*24*time.Hour)},
			},
			MinBadEvents: 1,
		},
		{
			Name: "api", Target: 0.995, Window: 7 * 24 * time.Hour,
			Indicator: slo.Indicator{Type: slo.PromQL,
				BadQuery:   `sum(increase(http_requests_total{code=~"5..$"}[{{.window}}]))`,
				TotalQuery: `sum(increase(http_requests_total[{{ .window }}]))`, Resolution: 5 * time.Minute},
			Tiers: []slo.Tier{}, MinBadEvents: 1,
		},
	}, got)
	assert.InDelta(t, 3, got[1].Factor(got[1].Tiers[1]), 1e-9)
}

// Every *.bad.yaml states in its comments the texts that the error must contain.
func TestBadFiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.bad.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".bad.yaml"), func(t *testing.T) {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			_, err = spec.Load(nil, []string{path})
			require.Error(t, err)
			t.Log(err)
			for line := range strings.SplitSeq(string(content), "\n") {
				if want, ok := strings.CutPrefix(line, "# want: "); ok {
					assert.ErrorContains(t, err, want)
				}
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				assert.True(t, strings.HasPrefix(line, path+": "), "each line names the file: %s", line)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	write("b.yaml", "objectives: [{name: b, target: 99, availability: {}}]")
	write("a.yaml", "objectives: [{name: a, target: 99, availability: {}}]")
	inline := []spec.Objective{decode(t, `{name: z, target: 99, availability: {}}`)}

	got, err := spec.Load(inline, []string{filepath.Join(dir, "*.yaml"), filepath.Join(dir, "a.yaml")})
	require.NoError(t, err)
	var names []string
	for _, o := range got {
		names = append(names, o.Name)
	}
	assert.Equal(t, []string{"z", "a", "b"}, names, "the configuration first, then files by name, each once")

	_, err = spec.Load(nil, []string{filepath.Join(dir, "*.yml"), filepath.Join(dir, "c.yaml"), "[", dir})
	require.ErrorContains(t, err, "files[0]: no file matches")
	require.ErrorContains(t, err, "files[1]: there is no file")
	require.ErrorContains(t, err, "files[2]: \"[\" is no pattern")
	require.ErrorContains(t, err, "cannot be read: ")

	write("c.yaml", "objectives: [{name: z, target: 99, availability: {}}]")
	_, err = spec.Load(inline, []string{filepath.Join(dir, "*.yaml")})
	require.ErrorContains(t, err, `c.yaml: objectives[0] (z)::name: "z" is taken by objectives[0] (z)`)
}

func TestEmptyFileList(t *testing.T) {
	got, err := spec.Load(nil, nil)
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestExpandWindow(t *testing.T) {
	assert.Equal(t, "a[1m] / b[1m]", spec.ExpandWindow("a[{{.window}}] / b[{{ .window }}]", time.Minute))
	assert.Equal(t, "a[30d]", spec.ExpandWindow("a[{{.window}}]", 30*24*time.Hour))
}

// decode reads one objective as the Collector does.
func decode(t *testing.T, yaml string) spec.Objective {
	t.Helper()
	r, err := confmap.NewRetrievedFromYAML([]byte("objectives: [" + yaml + "]"))
	require.NoError(t, err)
	conf, err := r.AsConf()
	require.NoError(t, err)
	var c struct {
		Objectives []spec.Objective `mapstructure:"objectives"`
	}
	require.NoError(t, conf.Unmarshal(&c))
	return c.Objectives[0]
}

// For any file Load returns objectives or an error.
func FuzzLoad(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.yaml")
	require.NoError(f, err)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(content)
	}
	path := filepath.Join(f.TempDir(), "o.yaml")
	f.Fuzz(func(t *testing.T, content []byte) {
		require.NoError(t, os.WriteFile(path, content, 0o600))
		objectives, err := spec.Load(nil, []string{path})
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		for _, o := range objectives {
			require.NoError(t, o.Validate())
		}
	})
}
