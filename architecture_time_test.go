package slowburn_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clocked are the names of package time that read the machine's clock, or wait by it. Deadlines of contexts are not among them: they
// bound calls to peers and computations, whose duration does not follow the gateway's clock.
var clocked = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Ticker", "Timer", "Until"}

// TestOneClock fails if the product reads the machine's clock other than by internal/clock.
func TestOneClock(t *testing.T) {
	found, err := clockUses(os.DirFS("."))
	require.NoError(t, err)
	for _, use := range found {
		t.Error(use)
	}
}

// clockUse is a place that reads the machine's clock.
type clockUse struct {
	file string
	line int
	name string
}

func (u clockUse) String() string {
	return fmt.Sprintf("%s:%d: time.%s reads the machine's clock, which tests cannot jump or speed up: use internal/clock", u.file, u.line, u.name)
}

func clockUses(house fs.FS) (found []clockUse, err error) {
	err = sources(house, func(file string, parsed *ast.File, positions *token.FileSet) {
		if within(file, "internal/clock") {
			return
		}
		name := importedAs(parsed, "time")
		if name == "" {
			return
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == name && slices.Contains(clocked, s.Sel.Name) {
					found = append(found, clockUse{file, positions.Position(s.Pos()).Line, s.Sel.Name})
				}
			}
			return true
		})
	})
	return found, err
}

// importedAs returns the name of an imported package in a file, and "" if the file does not import it.
func importedAs(parsed *ast.File, imported string) string {
	for _, spec := range parsed.Imports {
		if p, _ := strconv.Unquote(spec.Path.Value); p == imported {
			if spec.Name != nil {
				return spec.Name.Name
			}
			return imported[strings.LastIndex(imported, "/")+1:]
		}
	}
	return ""
}

// TestOneClockStands shows that the check finds uses of the machine's clock.
func TestOneClockStands(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	found, err := clockUses(fstest.MapFS{
		"internal/clock/clock.go": file("package clock\nimport \"time\"\nvar _ = time.Now"),
		"slo/a_test.go":           file("package slo\nimport \"time\"\nvar _ = time.Now"),
		"slo/a.go":                file("package slo\nimport \"time\"\nvar _ = time.Second\nvar _ = time.Now"),
		"web/a.go":                file("package web\nimport t \"time\"\nvar _ *t.Timer"),
		"web/b.go":                file("package web\nimport \"example.com/other/time\"\nvar _ = time.Now"),
		"bench/a.go":              file("package bench\nimport \"time\"\nvar _ = time.Now"),
	})
	require.NoError(t, err)
	assert.Equal(t, []clockUse{{"slo/a.go", 4, "Now"}, {"web/a.go", 3, "Timer"}}, found)
	assert.Equal(t, "slo/a.go:4: time.Now reads the machine's clock, which tests cannot jump or speed up: use internal/clock", found[0].String())
}
