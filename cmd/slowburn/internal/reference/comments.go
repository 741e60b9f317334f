package reference

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// comments reads the comments on types and fields of this module's packages.
type comments struct {
	root     string                       // the directory of the module
	packages map[string]map[string]string // by package path: comments by "Type" or "Type.Field"
}

// of returns the comment on a type, or on its field.
func (c *comments) of(t reflect.Type, field string) (string, error) {
	if !ours(t) {
		return "", nil
	}
	pkg := strings.TrimPrefix(t.PkgPath(), module)
	if c.packages[pkg] == nil {
		found, err := read(filepath.Join(c.root, filepath.FromSlash(pkg)))
		if err != nil {
			return "", err
		}
		c.packages[pkg] = found
	}
	name := t.Name()
	if field != "" {
		name += "." + field
	}
	return c.packages[pkg][name], nil
}

// read reads the comments of a package's structures.
func read(dir string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, decl := range parsed.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range gen.Specs {
				if spec, ok := spec.(*ast.TypeSpec); ok {
					collect(found, gen, spec)
				}
			}
		}
	}
	return found, nil
}

func collect(found map[string]string, gen *ast.GenDecl, spec *ast.TypeSpec) {
	doc := spec.Doc
	if doc == nil {
		doc = gen.Doc
	}
	found[spec.Name.Name] = textOf(doc)
	structure, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, field := range structure.Fields.List {
		comment := textOf(field.Doc)
		if comment == "" {
			comment = textOf(field.Comment)
		}
		for _, name := range field.Names {
			found[spec.Name.Name+"."+name.Name] = comment
		}
	}
}

func textOf(group *ast.CommentGroup) string { return strings.Join(strings.Fields(group.Text()), " ") }

var identifier = regexp.MustCompile(`\b[A-Z][A-Za-z0-9]*\b`)

// rewrite turns a comment on a field into a description for users: it replaces names of fields by keys, and removes the
// field's own name from the beginning.
func rewrite(comment, field string, keys map[string]string) string {
	for _, verb := range []string{" is ", " are ", " says "} {
		if rest, ok := strings.CutPrefix(comment, field+verb); ok {
			comment = capital(rest)
			break
		}
	}
	return identifier.ReplaceAllStringFunc(comment, func(word string) string {
		if key, ok := keys[word]; ok {
			return "`" + key + "`"
		}
		return word
	})
}

func capital(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[size:]
}
