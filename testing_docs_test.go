package slowburn_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// laws is the number of laws.
const laws = 8

// Each law's row in docs/testing.md names tests that exist: package, dot, function.
func TestDocsNameTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("docs/testing.md")
	require.NoError(t, err)
	rows := regexp.MustCompile(`(?m)^\| (\d)\. [^|]+\|([^|]+)\|$`).FindAllStringSubmatch(string(page), -1)
	require.Len(t, rows, laws, "a row for each law")
	for i, row := range rows {
		assert.Equal(t, string(rune('1'+i)), row[1])
		names := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[2], -1)
		assert.NotEmpty(t, names, "law %s", row[1])
		for _, name := range names {
			assert.True(t, testExists(t, name[1]), "law %s: %s is not there: name a test that holds the law", row[1], name[1])
		}
	}
	assert.False(t, testExists(t, "processor/policy.TestNothing"))
}

// testExists reports whether a package's directory has a test, or a fuzz test, of that name, under any build tag.
func testExists(t *testing.T, name string) bool {
	t.Helper()
	dot := strings.LastIndexByte(name, '.')
	require.Positive(t, dot, "%s is no package, dot, test", name)
	files, err := filepath.Glob(filepath.Join(name[:dot], "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.Contains(string(text), "\nfunc "+name[dot+1:]+"(") {
			return true
		}
	}
	return false
}
