package match

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocsHaveEveryCode checks that the docs list every attribute, code, preset and key of a condition.
func TestDocsHaveEveryCode(t *testing.T) {
	content, err := os.ReadFile("../../docs/objectives.md")
	require.NoError(t, err)
	page := string(content)
	row := func(begin string) string {
		_, rest, found := strings.Cut(page, "\n| "+begin)
		require.True(t, found, begin)
		line, _, _ := strings.Cut(rest, "\n")
		return begin + line
	}
	server, client, caller := row("UNKNOWN, "), row("of Dubbo CLIENT_TIMEOUT"), row("CANCELLED, ")
	for _, code := range serverRPC.In {
		assert.Contains(t, server, code)
	}
	for _, code := range failedRPC.In {
		assert.Contains(t, server+client, code)
	}
	for _, code := range callerRPC.In {
		assert.Contains(t, caller, code)
	}
	for _, s := range Spellings {
		assert.Contains(t, page, "`"+s.Key+"`")
	}
	for _, p := range Presets {
		row("`" + p.Name + "`")
	}
	for _, p := range allParts {
		assert.Contains(t, page, "`"+p.key+"`")
	}
}
