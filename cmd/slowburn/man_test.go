package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	manTo = flag.String("man", "", "write the manual pages that packages ship to this directory")
	manOf = flag.String("man-version", version, "the version that they name")
)

// untag removes a page's date line, by which two builds of one commit would differ.
func untag(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true
	for _, c := range cmd.Commands() {
		untag(c)
	}
}

// Every command has a page, generated from its help, and the pages of one commit depend on SOURCE_DATE_EPOCH, not on the day. The
// packages get their pages from this test (deploy/systemd/pages.sh), so the renderer need not be in the binary.
func TestMan(t *testing.T) {
	dir := *manTo
	if dir == "" {
		dir = t.TempDir()
		t.Setenv("SOURCE_DATE_EPOCH", "1772323200")
	}
	root := command()
	untag(root)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "slowburn " + *manOf, Manual: "slowburn"}, dir))
	for _, c := range root.Commands() {
		if !c.IsAvailableCommand() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, "slowburn-"+c.Name()+".1"))
		require.NoError(t, err)
		assert.Contains(t, string(text), ".SH NAME", c.Name())
	}
	text, err := os.ReadFile(filepath.Join(dir, "slowburn.1"))
	require.NoError(t, err)
	assert.NotContains(t, string(text), "HISTORY")
	if *manTo == "" {
		assert.Contains(t, string(text), "Mar 2026")
		assert.NotContains(t, string(text), time.Now().Format("Jan 2006"))
	}
}
