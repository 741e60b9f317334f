package slowburn_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Limits of packages and types, which a reader can keep in mind. Tests and generated files do not count; an embedded type counts as one
// field.
const (
	maxFiles   = 16
	maxFields  = 16
	maxMethods = 22
)

// maxExceptions is the largest number of exceptions.
const maxExceptions = 5

// exception allows a package ("slo/engine") or a type ("slo/engine.Extension") a larger size.
type exception struct{ name, why string }

// exceptions are all exceptions, at most maxExceptions.
var exceptions = []exception{
	{"processor/tailsampling.Config", "its fields are the keys of tail_sampling, contrib's among them, as a user writes them"},
}

// product are the directories of the product's packages.
var product = []string{"cmd", "demo", "internal", "processor", "slo", "web"}

// TestSizes fails for a package or a type that is too large, and for an exception that is not needed.
func TestSizes(t *testing.T) {
	m, err := measure(os.DirFS("."))
	require.NoError(t, err)
	for _, problem := range m.problems(exceptions) {
		t.Error(problem)
	}
}

// measures holds sizes, by the name of a package or of a type.
type measures struct {
	files   map[string]int
	fields  map[string]int
	methods map[string]map[string]bool // as sets of names: files for other systems may declare the same method
}

// measure returns the sizes of all packages and types below the product's directories.
func measure(house fs.FS) (measures, error) {
	m := measures{files: map[string]int{}, fields: map[string]int{}, methods: map[string]map[string]bool{}}
	err := sources(house, func(file string, parsed *ast.File, _ *token.FileSet) {
		pkg := path.Dir(file)
		m.files[pkg]++
		for _, decl := range parsed.Decls {
			m.add(pkg, decl)
		}
	})
	return m, err
}

// sources parses the product's Go files without tests and generated ones.
func sources(house fs.FS, visit func(file string, parsed *ast.File, positions *token.FileSet)) error {
	return fs.WalkDir(house, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		top, _, _ := strings.Cut(file, "/")
		if d.IsDir() && file != "." && (!slices.Contains(product, top) || d.Name() == "node_modules" || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || !strings.Contains(file, "/") {
			return nil
		}
		content, err := fs.ReadFile(house, file)
		if err != nil {
			return err
		}
		positions := token.NewFileSet()
		parsed, err := parser.ParseFile(positions, file, content, parser.ParseComments)
		if err != nil {
			return err
		}
		if !ast.IsGenerated(parsed) {
			visit(file, parsed, positions)
		}
		return nil
	})
}

// add counts a declaration's fields and methods.
func (m measures) add(pkg string, decl ast.Decl) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Recv != nil {
			m.method(pkg+"."+receiver(decl.Recv.List[0].Type), decl.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			spec, ok := spec.(*ast.TypeSpec)
			if !ok {
				continue
			}
			name := pkg + "." + spec.Name.Name
			switch declared := spec.Type.(type) {
			case *ast.StructType:
				m.fields[name] = max(m.fields[name], declared.Fields.NumFields())
			case *ast.InterfaceType:
				for _, method := range declared.Methods.List {
					for _, id := range method.Names {
						m.method(name, id.Name)
					}
				}
			}
		}
	}
}

func (m measures) method(name, method string) {
	if m.methods[name] == nil {
		m.methods[name] = map[string]bool{}
	}
	m.methods[name][method] = true
}

// receiver returns the name of a receiver's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.ParenExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// problems returns packages and types that are too large, and mistakes in the exceptions.
func (m measures) problems(allowed []exception) (problems []string) {
	var large []string // names
	check := func(name string, count, most int, what, advice string) {
		if count <= most {
			return
		}
		large = append(large, name)
		if !slices.ContainsFunc(allowed, func(e exception) bool { return e.name == name }) {
			problems = append(problems, fmt.Sprintf("%s has %d %s, more than %d: %s", name, count, what, most, advice))
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(m.files)) {
		check(pkg, m.files[pkg], maxFiles, "source files", "move one of its ideas, with its tests, to a package below it")
	}
	for _, name := range slices.Sorted(maps.Keys(m.fields)) {
		check(name, m.fields[name], maxFields, "fields", "give those that change together a type of their own, and the methods that use only these")
	}
	for _, name := range slices.Sorted(maps.Keys(m.methods)) {
		check(name, len(m.methods[name]), maxMethods, "methods", "find those that use the same few fields, and move both to a type of their own")
	}
	if len(allowed) > maxExceptions {
		problems = append(problems, fmt.Sprintf("there are %d exceptions, more than %d: divide one of those that have one", len(allowed), maxExceptions))
	}
	for _, e := range allowed {
		if e.why == "" {
			problems = append(problems, fmt.Sprintf("the exception for %s has no reason: write why it must be so large", e.name))
		}
		if !slices.Contains(large, e.name) {
			problems = append(problems, fmt.Sprintf("%s needs no exception: remove it from the list", e.name))
		}
	}
	return problems
}

// TestSizesStand shows that the check finds large packages and types, and counts correctly.
func TestSizesStand(t *testing.T) {
	repeat := func(n int, line string) (out string) {
		for i := range n {
			out += fmt.Sprintf(line+"\n", i)
		}
		return out
	}
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	house := fstest.MapFS{
		"slowburn.go":       file("package slowburn"),
		"bench/b.go":        file("package bench\ntype T struct {\n" + repeat(17, "f%d int") + "}"),
		"slo/t/testdata/x":  file(""),
		"slo/few/a.go":      file("package few\ntype T struct { sync.Mutex; a, b, c int\n" + repeat(12, "f%d int") + "}\n" + repeat(22, "func (t *T) m%d() {}")),
		"slo/few/a_test.go": file("package few\ntype U struct {\n" + repeat(17, "f%d int") + "}\n" + repeat(9, "func (T) n%d() {}")),
		"slo/few/b.go":      file("//go:build !linux\n\npackage few\n" + repeat(22, "func (t *T) m%d() {}")),
		"slo/few/made.go":   file("// Code generated by hand. DO NOT EDIT.\n\npackage few\n" + repeat(9, "func (t *T) o%d() {}")),
		"web/big.go":        file("package web\ntype T struct { sync.Mutex; a, b int\n" + repeat(14, "f%d int") + "}\n"),
		"web/big_2.go":      file("package web\ntype G[A any] struct{}\n" + repeat(23, "func (g *G[A]) m%d() {}")),
		"web/big_3.go":      file("package web\ntype I interface {\n" + repeat(23, "M%d()") + "}"),
	}
	for i := range maxFiles {
		house[fmt.Sprintf("slo/sixteen/f%d.go", i)] = file("package sixteen")
		house[fmt.Sprintf("processor/many/f%d.go", i)] = file("package many")
	}
	house["slo/sixteen/f_test.go"] = file("package sixteen")
	house["processor/many/last.go"] = file("package many")
	m, err := measure(house)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"processor/many has 17 source files, more than 16: move one of its ideas, with its tests, to a package below it",
		"web.T has 17 fields, more than 16: give those that change together a type of their own, and the methods that use only these",
		"web.G has 23 methods, more than 22: find those that use the same few fields, and move both to a type of their own",
		"web.I has 23 methods, more than 22: find those that use the same few fields, and move both to a type of their own",
	}, m.problems(nil))

	allowed := []exception{{"processor/many", "why"}, {"web.T", "why"}, {"web.G", "why"}, {"web.I", "why"}}
	assert.Empty(t, m.problems(allowed))
	assert.Equal(t, []string{"slo/few.T needs no exception: remove it from the list"},
		m.problems(append(slices.Clone(allowed), exception{"slo/few.T", "why"})))
	assert.Equal(t, []string{"the exception for web.I has no reason: write why it must be so large"},
		m.problems(append(slices.Clone(allowed[:3]), exception{name: "web.I"})))
	crowd := slices.Concat(allowed, allowed[:2])
	assert.Equal(t, []string{"there are 6 exceptions, more than 5: divide one of those that have one"}, m.problems(crowd))
}
