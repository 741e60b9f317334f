package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCurrent checks that deploy/ has the dashboards that this module generates, and no others.
func TestCurrent(t *testing.T) {
	dir := filepath.Join("..", "..", "deploy", "monitoring", "dashboards")
	for _, b := range boards {
		want, err := b.render()
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(dir, b.file))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s is not current: run `make manifests`", b.file)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	assert.Len(t, files, len(boards), "%s", files)
}

// TestPanels checks that each panel can be understood by itself.
func TestPanels(t *testing.T) {
	for _, b := range boards {
		titles := map[string]bool{}
		for _, r := range b.rows {
			for _, p := range r.panels {
				at := b.title + " / " + r.title + " / " + p.title
				assert.False(t, titles[r.title+p.title], "%s is there twice", at)
				titles[r.title+p.title] = true
				assert.NotEmpty(t, p.unit, "%s has no unit", at)
				assert.NotEmpty(t, p.queries, "%s shows nothing", at)
				for _, q := range p.queries {
					assert.Contains(t, q.expr, "$where", "%s does not heed which instance was picked", at)
					assert.Equal(t, !p.number, q.legend != "", "%s: its series need a legend, and a number has one series", at)
				}
			}
		}
	}
}
