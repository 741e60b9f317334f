package sim

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const twoHunks = "It is wrong.\n\n--- a/x.go\n+++ b/x.go\n@@ -1,3 +1,2 @@\n one\n-two\n three\n@@ -7,1 +6,2 @@\n seven\n+eight\n"

func TestPatch(t *testing.T) {
	p, err := parsePatch(twoHunks)
	require.NoError(t, err)
	assert.Equal(t, "It is wrong.", p.what)
	assert.Equal(t, "x.go", p.file)
	got, err := p.apply("zero\none\ntwo\nthree\nfour\nseven\n")
	require.NoError(t, err)
	assert.Equal(t, "zero\none\nthree\nfour\nseven\neight\n", got)
	for _, text := range []string{"one\nthree\nseven\n", "one\ntwo\nthree\nseven\none\ntwo\nthree\n"} {
		_, err = p.apply(text)
		assert.ErrorContains(t, err, "where they must be once", text)
	}
}

func TestBadPatches(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "there is no change",
		"It is wrong.\n\nwords": "there is no change",
		"It is wrong.\n\n+++ b/x.go\n@@ -1 +1 @@\n one\n+++ b/y.go\n": "a patch is of one file",
		"It is wrong.\n\n+++ b/x.go\n@@ -1 +1 @@\n one\n?two\n":       "is no line of a diff",
	} {
		_, err := parsePatch(text)
		assert.ErrorContains(t, err, want, text)
	}
}
