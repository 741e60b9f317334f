package slowburn_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// styled are the directories in which the naming rules are checked.
var styled = []string{"bench", "cmd", "demo", "internal", "processor", "slo", "web"}

// functionWords are English words that name no parameter: a reader takes them for grammar.
var functionWords = []string{"is", "most", "of", "one", "these", "why", "with"}

// TestStyle fails for a function that returns a bool and does not say "reports whether", for a parameter that is a function word of
// English, and for a name of a package that a local of the package hides.
func TestStyle(t *testing.T) {
	found, err := misnamed(os.DirFS("."))
	require.NoError(t, err)
	for _, problem := range found {
		t.Error(problem)
	}
}

// scope holds the names of one package.
type scope struct {
	shared map[string]token.Position // variables, constants and functions of the package, unexported
	locals map[string]token.Position // parameters, results and variables within functions
}

// misnamed returns the violations of the naming rules, with place and correction.
func misnamed(house fs.FS) (found []string, err error) {
	scopes := map[string]*scope{}
	err = sources(house, func(file string, parsed *ast.File, positions *token.FileSet) {
		top, _, _ := strings.Cut(file, "/")
		if !slices.Contains(styled, top) {
			return
		}
		s := scopes[path.Dir(file)]
		if s == nil {
			s = &scope{map[string]token.Position{}, map[string]token.Position{}}
			scopes[path.Dir(file)] = s
		}
		at := func(n ast.Node) token.Position { return positions.Position(n.Pos()) }
		for _, decl := range parsed.Decls {
			s.declare(decl, at)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			for _, id := range s.local(n) {
				if s.locals[id.Name] = at(id); isParameter(n, id) && slices.Contains(functionWords, id.Name) {
					found = append(found, fmt.Sprintf("%v: the parameter %s is a function word of English: name what it holds", at(id), id.Name))
				}
			}
			if name, doc := predicate(n); doc != "" && !strings.Contains(doc, "reports whether") && !strings.Contains(doc, "report whether") {
				found = append(found, fmt.Sprintf("%v: %s returns a bool: write that it \"reports whether\" something holds", at(n), name))
			}
			return true
		})
	})
	for _, s := range scopes {
		for name, at := range s.shared {
			if local, hidden := s.locals[name]; hidden {
				found = append(found, fmt.Sprintf("%v: %s is a name that the local at %v wants: give that of the package a longer one", at, name, local))
			}
		}
	}
	slices.Sort(found)
	return found, err
}

// declare adds the names that a declaration gives the package.
func (s *scope) declare(decl ast.Decl, at func(ast.Node) token.Position) {
	add := func(id *ast.Ident) {
		if !id.IsExported() && id.Name != "_" && id.Name != "init" {
			s.shared[id.Name] = at(id)
		}
	}
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Recv == nil {
			add(decl.Name)
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			if values, ok := spec.(*ast.ValueSpec); ok {
				for _, id := range values.Names {
					add(id)
				}
			}
		}
	}
}

// local returns the names that a node declares within a function: parameters and results of its type, and variables.
func (s *scope) local(n ast.Node) (ids []*ast.Ident) {
	expressions := func(list ...ast.Expr) {
		for _, e := range list {
			if id, ok := e.(*ast.Ident); ok {
				ids = append(ids, id)
			}
		}
	}
	switch n := n.(type) {
	case *ast.FuncType:
		for _, list := range []*ast.FieldList{n.Params, n.Results} {
			if list != nil {
				for _, field := range list.List {
					ids = append(ids, field.Names...)
				}
			}
		}
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			expressions(n.Lhs...)
		}
	case *ast.RangeStmt:
		if n.Tok == token.DEFINE {
			expressions(n.Key, n.Value)
		}
	case *ast.DeclStmt:
		for _, spec := range n.Decl.(*ast.GenDecl).Specs {
			if values, ok := spec.(*ast.ValueSpec); ok {
				ids = append(ids, values.Names...)
			}
		}
	}
	return ids
}

// isParameter reports whether a name is one of a function type's parameters.
func isParameter(n ast.Node, id *ast.Ident) bool {
	f, ok := n.(*ast.FuncType)
	return ok && f.Params != nil && slices.ContainsFunc(f.Params.List, func(field *ast.Field) bool { return slices.Contains(field.Names, id) })
}

// predicate returns the name and the comment of a function or of an interface's method whose only result is a bool. The comment
// is empty if there is none, if it refers to an interface, and for all other nodes.
func predicate(n ast.Node) (name, doc string) {
	var f *ast.FuncType
	var comment *ast.CommentGroup
	switch n := n.(type) {
	case *ast.FuncDecl:
		name, f, comment = n.Name.Name, n.Type, n.Doc
	case *ast.Field:
		method, ok := n.Type.(*ast.FuncType)
		if !ok || len(n.Names) != 1 {
			return "", ""
		}
		name, f, comment = n.Names[0].Name, method, n.Doc
	default:
		return "", ""
	}
	if f.Results.NumFields() != 1 {
		return "", ""
	}
	if result, ok := f.Results.List[0].Type.(*ast.Ident); !ok || result.Name != "bool" {
		return "", ""
	}
	if doc = strings.Join(strings.Fields(comment.Text()), " "); strings.HasPrefix(doc, name+" implements ") {
		return name, ""
	}
	return name, doc
}

// TestStyleStands shows that each rule finds violations, and nothing else.
func TestStyleStands(t *testing.T) {
	house := fstest.MapFS{
		"internal/a/a.go": {Data: []byte(`package a

// pending is a state.
const pending = 1

// statePending is a state.
const statePending = 1

// Ready says that it is.
func Ready() bool { return true }

// Done reports whether it
// is done.
func Done(why string) bool { pending := why == ""; return pending }

// Has implements Set.
func (s set) Has(of int) (found bool) { return false }

func bare() bool { return true }

// count counts.
func count(n int, of func(is bool)) (most int, ok bool) { return n, true }

type set interface {
	// Has is true for members.
	Has(n int) bool
	// Len is the length.
	Len() int
}
`)},
		"internal/a/b.go":      {Data: []byte("package a\nfunc use() { for bare := range 3 { _ = bare } }\n")},
		"internal/a/a_test.go": {Data: []byte("package a\nfunc b(one int) {}\n")},
		"internal/b/b.go":      {Data: []byte("package b\nfunc f() { statePending := 1; _ = statePending }\n")},
		"bench/b.go":           {Data: []byte("package bench\nfunc f(one int) {}\n")},
	}
	found, err := misnamed(house)
	require.NoError(t, err)
	var places []string
	for _, problem := range found {
		file, rest, _ := strings.Cut(problem, ":")
		line, _, _ := strings.Cut(rest, ":")
		_, text, _ := strings.Cut(problem, ": ")
		places = append(places, file+":"+line+" "+strings.Join(strings.Fields(text)[:3], " "))
	}
	assert.ElementsMatch(t, []string{
		"internal/a/a.go:4 pending is a", "internal/a/a.go:10 Ready returns a", "internal/a/a.go:14 the parameter why",
		"internal/a/a.go:17 the parameter of", "internal/a/a.go:19 bare is a", "internal/a/a.go:22 the parameter of",
		"internal/a/a.go:22 the parameter is", "internal/a/a.go:26 Has returns a",
	}, places)
}
