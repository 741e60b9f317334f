package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is a mistake that was chosen.
type mutant struct {
	*site
	variant
	id int
	outcome
}

// rewrite returns a file with the mutants behind their switches.
func rewrite(s *source, mutants []*mutant) []byte {
	list := slices.Clone(mutants)
	slices.SortFunc(list, func(a, b *mutant) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to), boolCompare(b.outer, a.outer), cmp.Compare(a.id, b.id))
	})
	return []byte(render(s, 0, len(s.content), list))
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// render returns a part of the file with those of the mutants that lie in it. They are in order, outer ones first.
func render(s *source, from, to int, mutants []*mutant) string {
	var out strings.Builder
	for i := 0; i < len(mutants); i++ {
		m := mutants[i]
		if m.from < from || m.to > to {
			continue
		}
		inner := mutants[i+1:]
		out.Write(s.content[from:m.from])
		out.WriteString(m.write(m.id, func(from, to int) string { return render(s, from, to, inner) }))
		from = m.to
	}
	out.Write(s.content[from:to])
	return out.String()
}

// helperName is the file that each package with mutants gets.
const helperName = "mutant__switches.go"

// The variables that a run is told by.
const (
	activeVariable = "MUTANT"
	traceVariable  = "MUTANT_TRACE"
)

// switches is the code of that file, for ids below count.
func switches(pkg string, count int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `package %s

import (
	mutant__os "os"
	mutant__strconv "strconv"
	mutant__atomic "sync/atomic"
)

var (
	mutant__active, _ = mutant__strconv.Atoi(mutant__os.Getenv(%q))
	mutant__trace     = mutant__os.Getenv(%q)
	mutant__seen      [%d]mutant__atomic.Bool
)

func mutant__(id int) bool {
	if mutant__trace != "" {
		mutant__touch(id)
	}
	return id == mutant__active
}

func mutant__touch(id int) {
	if mutant__seen[id].Swap(true) {
		return
	}
	f, err := mutant__os.OpenFile(mutant__trace, mutant__os.O_APPEND|mutant__os.O_CREATE|mutant__os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(mutant__strconv.Itoa(id) + "\n")
		_ = f.Close()
	}
	if err != nil {
		panic(err)
	}
}

type mutant__integers interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

type mutant__numbers interface {
	mutant__integers | ~float32 | ~float64
}

func mutant__int[T mutant__numbers](id int, n T, delta int) T {
	switch {
	case !mutant__(id):
		return n
	case delta < 0:
		return n - 1
	}
	return n + 1
}
`, pkg, activeVariable, traceVariable, count)
	for _, op := range []token.Token{token.ADD, token.SUB, token.MUL, token.QUO, token.REM, token.AND, token.OR, token.XOR,
		token.AND_NOT, token.SHL, token.SHR} {
		constraint, y := "mutant__integers", "T"
		switch op {
		case token.ADD, token.SUB, token.MUL, token.QUO:
			constraint = "mutant__numbers"
		}
		parameters := "T " + constraint
		if op == token.SHL || op == token.SHR {
			parameters, y = parameters+", S mutant__integers", "S"
		}
		fmt.Fprintf(&b, "\nfunc mutant__%d[%s](id int, x T, y %s) T {\n\tif mutant__(id) {\n\t\treturn x %s y\n\t}\n\treturn x %s y\n}\n",
			int(op), parameters, y, arithmetic[op], op)
	}
	return []byte(b.String())
}

// overlay writes the packages with their mutants to dir, and returns the file that tells the go command so.
func overlay(dir string, mutants []*mutant) (string, error) {
	byFile := map[*source][]*mutant{}
	for _, m := range mutants {
		byFile[m.file] = append(byFile[m.file], m)
	}
	replace := map[string]string{}
	write := func(path string, content []byte) error {
		name := filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		replace[path] = name
		return os.WriteFile(name, content, 0o600)
	}
	for s, of := range byFile {
		if err := write(s.path, rewrite(s, of)); err != nil {
			return "", err
		}
		helper := filepath.Join(s.pkg.Dir, helperName)
		if replace[helper] != "" {
			continue
		}
		if err := write(helper, switches(s.pkg.Name, len(mutants)+1)); err != nil {
			return "", err
		}
	}
	content, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, content, 0o600)
}
