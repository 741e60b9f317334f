package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const tutorial = "../../docs/sampling.md"

var (
	codeBlock = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```")
	fileName  = regexp.MustCompile(`^# (\S+\.yaml)\n`)
)

// TestTutorial runs the steps of docs/sampling.md that need no gateway, and compares their output with the page. With -rewrite it
// writes the output into the page.
func TestTutorial(t *testing.T) {
	page, err := os.ReadFile(tutorial)
	require.NoError(t, err)
	dir := t.TempDir()
	var written bytes.Buffer
	end, steps, printed := 0, 0, ""
	for _, m := range codeBlock.FindAllSubmatchIndex(page, -1) {
		language, block := string(page[m[2]:m[3]]), string(page[m[4]:m[5]])
		written.Write(page[end:m[4]])
		end = m[5]
		switch {
		case language == "yaml" && fileName.MatchString(block):
			name := fileName.FindStringSubmatch(block)[1]
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(block), 0o600))
		case language == "sh" && strings.HasPrefix(block, "slowburn sample "):
			args := strings.Fields(block)[2:]
			for i, arg := range args {
				if strings.HasPrefix(arg, "docs/") {
					args[i] = "../../" + arg
				} else if strings.HasSuffix(arg, ".yaml") {
					args[i] = filepath.Join(dir, arg)
				}
			}
			printed, err = sample(t, nil, args...)
			require.NoError(t, err, block)
			steps++
		case language == "" && printed != "":
			if !*rewrite {
				assert.Equal(t, printed, block)
			}
			block, printed = printed, ""
		}
		written.WriteString(block)
	}
	written.Write(page[end:])
	require.GreaterOrEqual(t, steps, 5)
	if *rewrite {
		require.NoError(t, os.WriteFile(tutorial, written.Bytes(), 0o644)) //nolint:gosec // a page for everybody
	}
}
