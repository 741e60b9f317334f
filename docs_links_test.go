package slowburn_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	fences = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	// inlineLink matches the target of [text](target) in Markdown.
	inlineLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
	// mention matches a page that code, configuration and the dashboard name in a text.
	mention = regexp.MustCompile(`\bdocs/[A-Za-z0-9_./-]+\.md(#[A-Za-z0-9_-]+)?`)
)

// TestDocsLinks fails for a link to a page or section that does not exist, in Markdown or in any text of the sources.
func TestDocsLinks(t *testing.T) {
	broken, checked, err := brokenLinks(os.DirFS("."))
	require.NoError(t, err)
	require.Greater(t, checked, 300, "the links were not found")
	for _, link := range broken {
		t.Error(link)
	}
}

func brokenLinks(house fs.FS) (broken []string, checked int, err error) {
	check := func(file, from, target string) {
		checked++
		if problem := resolve(house, from, target); problem != "" {
			broken = append(broken, fmt.Sprintf("%s: %s: %s", file, target, problem))
		}
	}
	err = fs.WalkDir(house, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{"node_modules", "bin", "dist", "artifacts", "testdata", "slowburn-data"}, d.Name()) ||
				strings.HasPrefix(d.Name(), ".") && file != "." {
				return fs.SkipDir
			}
			return nil
		}
		switch path.Ext(file) {
		case ".md":
			text, err := fs.ReadFile(house, file)
			for _, m := range inlineLink.FindAllSubmatch(fences.ReplaceAll(text, nil), -1) {
				if target := string(m[1]); !strings.Contains(target, "://") && !strings.HasPrefix(target, "mailto:") {
					check(file, file, target)
				}
			}
			return err
		case ".go", ".ts", ".tsx", ".yaml", ".yml", ".json", ".sh", ".tpl", ".txt":
			if file == "docs_links_test.go" || strings.HasSuffix(file, "package-lock.json") {
				return nil
			}
			text, err := fs.ReadFile(house, file)
			for _, target := range mention.FindAllString(string(text), -1) {
				check(file, "README.md", target)
			}
			return err
		}
		return nil
	})
	return broken, checked, err
}

// resolve returns what is wrong with a link in a file.
func resolve(house fs.FS, file, target string) string {
	page, fragment, _ := strings.Cut(target, "#")
	if page = path.Join(path.Dir(file), page); strings.HasPrefix(target, "#") {
		page = file
	}
	info, err := fs.Stat(house, page)
	if err != nil {
		return "there is no such file"
	}
	if fragment == "" || info.IsDir() || path.Ext(page) != ".md" {
		return ""
	}
	text, err := fs.ReadFile(house, page)
	if err != nil {
		return err.Error()
	}
	if !slices.Contains(anchorsOf(string(text)), fragment) {
		return "there is no such section"
	}
	return ""
}

// anchorsOf returns the fragments of a page's headings, as GitHub makes them.
func anchorsOf(text string) (anchors []string) {
	times := map[string]int{}
	for _, m := range heading.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case strings.ContainsRune("`'’\".,;:!?()[]{}*/\\&…+=<>|%–—·", r):
				return -1
			}
			return r
		}, strings.ToLower(inlineLink.ReplaceAllString(m[1], "]")))
		if n := times[anchor]; n > 0 {
			anchors = append(anchors, fmt.Sprintf("%s-%d", anchor, n))
		} else {
			anchors = append(anchors, anchor)
		}
		times[anchor]++
	}
	return anchors
}

// TestDocsLinksStand shows that the check finds broken links, and nothing else.
func TestDocsLinksStand(t *testing.T) {
	house := fstest.MapFS{}
	for name, text := range map[string]string{
		"README.md":   "[a](docs/a.md) [b](docs/b.md#two-words-x_y) [c](docs/b.md#twice-1) [d](docs/no.md) [e](docs/a.md#no) [f](https://a.b/c) [g](docs)",
		"docs/a.md":   "[b](b.md) [up](../README.md) [none](../docs/x/b.md)\n```sh\n[not](a-link.md)\n```\n",
		"docs/b.md":   "## Two words: `x_y`\n## Twice\n## Twice\n[up](#twice)[bad](#thrice)",
		"web/a.go":    `"see docs/a.md, and docs/b.md#twice, not docs/c.md or docs/b.md#thrice"`,
		"bin/link.md": "[x](y.md)",
	} {
		house[name] = &fstest.MapFile{Data: []byte(text)}
	}
	broken, checked, err := brokenLinks(house)
	require.NoError(t, err)
	assert.Equal(t, 15, checked)
	assert.Equal(t, []string{
		"README.md: docs/no.md: there is no such file",
		"README.md: docs/a.md#no: there is no such section",
		"docs/a.md: ../docs/x/b.md: there is no such file",
		"docs/b.md: #thrice: there is no such section",
		"web/a.go: docs/c.md: there is no such file",
		"web/a.go: docs/b.md#thrice: there is no such section",
	}, broken)
}
