package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An error in a composite policy names the part.
func TestSampleNamesThePartOfAComposite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policies.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`
policies:
  - name: whole
    type: composite
    composite:
      max_total_spans_per_second: 1000000
      policy_order: [part]
      composite_sub_policy: [{name: part, type: always_sample}]
      rate_allocation: [{policy: part, percent: 100}]
`), 0o600))
	got, err := sample(t, nil, "--policies", file, sampleData+"traces.json")
	require.NoError(t, err)
	assert.Regexp(t, `(?m)  sampled  whole/part  `, got)
	assert.Contains(t, got, "(100 %)")
}

// The share of nothing is 0.
func TestPercent(t *testing.T) {
	assert.Zero(t, percent(0, 0))
	assert.InDelta(t, 25, percent(1, 4), 1e-9)
}

func TestSourceWithoutProviders(t *testing.T) {
	_, err := (&source{}).Load(t.Context())
	require.ErrorContains(t, err, "no URIs")
}

// A file that is missing, or has a section of the wrong kind, is an error of --policies.
func TestSampleOddPolicies(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"section": "tail_sampling: 7", "processor": "processors: {tail_sampling: [1]}"} {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		_, err := sample(t, nil, "--policies", file, sampleData+"traces.json")
		require.ErrorContains(t, err, "--policies "+file+": ", name)
	}
	_, err := sample(t, nil, "--policies", filepath.Join(dir, "none"), sampleData+"traces.json")
	require.ErrorContains(t, err, "no such file or directory")
}
