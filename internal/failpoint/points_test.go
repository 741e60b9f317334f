package failpoint_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const house = "../.."

// listed returns the points of points.go: the constants' names and values.
func listed(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "points.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	points := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		points[spec.Names[0].Name] = text
		return true
	})
	return points
}

// Each listed point is passed, before and after, in the product and only once; and each name is a component and a step.
func TestEachListedPointIsUsed(t *testing.T) {
	points := listed(t)
	require.NotEmpty(t, points)
	uses := map[string]int{}
	for _, top := range []string{"cmd", "internal", "processor", "slo", "web"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(house, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() && d.Name() == "node_modules" {
				return cmpErr(err, fs.SkipDir)
			}
			if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				countUses(t, path, uses)
			}
			return nil
		}))
	}
	var names []string
	for constant, name := range points {
		assert.Equal(t, 1, uses["Before "+constant], "calls of failpoint.Before(failpoint.%s)", constant)
		assert.Equal(t, 1, uses["After "+constant], "calls of failpoint.After(failpoint.%s)", constant)
		assert.Regexp(t, `^[a-z]+\.[a-z]+$`, name)
		names = append(names, name)
		delete(uses, "Before "+constant)
		delete(uses, "After "+constant)
	}
	assert.Empty(t, uses, "points that are used and not listed")
	slices.Sort(names)
	assert.Len(t, slices.Compact(names), len(points), "two points have one name")
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// countUses counts the calls in a file by moment and constant.
func countUses(t *testing.T, path string, uses map[string]int) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	if !strings.Contains(string(text), "internal/failpoint\"") {
		return
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		moment := selected(call.Fun)
		if moment != "Before" && moment != "After" {
			return true
		}
		require.Len(t, call.Args, 1, path)
		point := selected(call.Args[0])
		require.NotEmpty(t, point, "%s: failpoint.%s takes a constant of points.go, so that it is found", path, moment)
		uses[moment+" "+point]++
		return true
	})
}

// selected returns X of failpoint.X, or "".
func selected(e ast.Expr) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if pkg, ok := s.X.(*ast.Ident); !ok || pkg.Name != "failpoint" {
		return ""
	}
	return s.Sel.Name
}
