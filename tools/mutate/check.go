package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// source is a file of the product.
type source struct {
	path    string
	content []byte
	parsed  *ast.File
	fset    *token.FileSet
	pkg     *pkg
}

func (s *source) offset(p token.Pos) int { return s.fset.Position(p).Offset }
func (s *source) line(p token.Pos) int   { return s.fset.Position(p).Line }

// pkg is a package as `go list` describes it, and its files.
type pkg struct {
	ImportPath, Dir, Name, Export string
	GoFiles                       []string
	Imports, Deps                 []string
	TestGoFiles, XTestGoFiles     []string
	DepOnly, Standard             bool
	files                         []*source
}

func (p *pkg) tested() bool { return len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 }

// program is the packages that mutants are made in, and the packages that they import.
type program struct {
	root     string
	packages []*pkg            // those that the patterns name
	exports  map[string]string // import path → export data
	fset     *token.FileSet
	imports  types.Importer
}

// load lists and parses the packages.
func load(ctx context.Context, root string, patterns []string) (*program, error) {
	args := append([]string{"list", "-export", "-deps", "-json", "os", "strconv", "sync/atomic"}, patterns...) // the switches' imports
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	p := &program{root: root, exports: map[string]string{}, fset: token.NewFileSet()}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		one := &pkg{}
		if err := decoder.Decode(one); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		p.exports[one.ImportPath] = one.Export
		if one.DepOnly || one.Standard || strings.HasSuffix(one.Name, "test") {
			continue // the last are helpers of tests, such as tracetest
		}
		for _, name := range one.GoFiles {
			s, err := parse(p.fset, filepath.Join(one.Dir, name), nil)
			if err != nil {
				return nil, err
			}
			s.pkg = one
			one.files = append(one.files, s)
		}
		p.packages = append(p.packages, one)
	}
	p.imports = importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(p.exports[path]) })
	return p, nil
}

// parse reads a file, or the given content.
func parse(fset *token.FileSet, path string, content []byte) (*source, error) {
	if content == nil {
		var err error
		if content, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	parsed, err := parser.ParseFile(fset, path, content, parser.ParseComments|parser.SkipObjectResolution)
	return &source{path: path, content: content, parsed: parsed, fset: fset}, err
}

// check type-checks a package with the switch. Other files may replace its own.
func (p *program) check(of *pkg, others map[*source][]byte, info *types.Info) (*types.Package, error) {
	var files []*ast.File
	for _, s := range of.files {
		if content := others[s]; content != nil {
			other, err := parse(p.fset, s.path, content)
			if err != nil {
				return nil, err
			}
			files = append(files, other.parsed)
			continue
		}
		files = append(files, s.parsed)
	}
	helper, err := parse(p.fset, helperName, switches(of.Name, 1))
	if err != nil {
		return nil, err
	}
	config := types.Config{Importer: p.imports}
	return config.Check(of.ImportPath, p.fset, append(files, helper.parsed), info)
}

// sites returns all sites of the packages, in a fixed order.
func (p *program) sites() ([]*site, error) {
	var all []*site
	for _, one := range p.packages {
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
		checked, err := p.check(one, nil, info)
		if err != nil {
			return nil, err
		}
		for _, s := range one.files {
			if !ast.IsGenerated(s.parsed) {
				all = append(all, find(s, info, checked)...)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *site) int {
		return bytes.Compare([]byte(a.file.path), []byte(b.file.path))
	})
	return all, nil
}
