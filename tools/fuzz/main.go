// Command fuzz runs all fuzzers of the module that it is started in, one after the other: it finds them in the sources, so that none
// is forgotten.
//
//	-time   how long each runs
//	-total  how long all run together, each the same part of it; -time does not count then
//	-some   how many run, 0 for all: those that are next, by the number of commits, so that commit by commit each has its turn
//	-list   list them, and run none
//
// A fuzzer that fails does not keep others from running; the input that it failed for is in testdata/fuzz of its package.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	each := flag.Duration("time", 10*time.Second, "how long each fuzzer runs")
	total := flag.Duration("total", 0, "how long all fuzzers run together")
	some := flag.Int("some", 0, "how many fuzzers run; 0 for all")
	list := flag.Bool("list", false, "list the fuzzers, and run none")
	flag.Parse()
	all, err := find()
	if err == nil && len(all) == 0 {
		err = errors.New("there is no fuzzer here: start it in the directory of the module")
	}
	if err == nil && !*list {
		if *some > 0 {
			all = turn(all, *some, commits())
		}
		if *total > 0 {
			*each = *total / time.Duration(len(all))
		}
		err = run(all, *each)
	} else if err == nil {
		for _, f := range all {
			fmt.Println(f.pkg, f.name)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

// fuzzer is a function Fuzz… of a package.
type fuzzer struct{ pkg, name string }

// find lists the fuzzers of all packages of the module, in order.
func find() (all []fuzzer, err error) {
	out, err := exec.Command("go", "list", "-json=Dir,ImportPath,TestGoFiles,XTestGoFiles", "./...").Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages: %w", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Dir, ImportPath           string
			TestGoFiles, XTestGoFiles []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		for _, file := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
			names, err := fuzzersIn(filepath.Join(p.Dir, file), nil)
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				all = append(all, fuzzer{p.ImportPath, name})
			}
		}
	}
	slices.SortFunc(all, func(a, b fuzzer) int { return cmp.Or(strings.Compare(a.pkg, b.pkg), strings.Compare(a.name, b.name)) })
	return all, nil
}

// fuzzersIn are the names of the fuzzers in a file, or in src where that is not nil.
func fuzzersIn(path string, src any) (names []string, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Fuzz") || f.Type.Params.NumFields() != 1 {
			continue
		}
		if star, ok := f.Type.Params.List[0].Type.(*ast.StarExpr); ok {
			if of, ok := star.X.(*ast.SelectorExpr); ok && of.Sel.Name == "F" {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names, nil
}

// turn returns n of the fuzzers, or all if there are no more: each round those behind the ones of the last.
func turn(all []fuzzer, n, round int) (part []fuzzer) {
	n = min(n, len(all))
	for i := range n {
		part = append(part, all[(round*n+i)%len(all)])
	}
	return part
}

// commits is how many there are, 0 where nobody knows.
func commits() int {
	out, err := exec.Command("git", "rev-list", "--count", "HEAD").Output()
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(out)))
	return n
}

// run runs fuzzers for some time each.
func run(all []fuzzer, each time.Duration) error {
	var failed []string
	for i, f := range all {
		began := time.Now()
		cmd := exec.Command("go", "test", "-run", "^$", "-fuzz", "^"+f.name+"$", "-fuzztime", each.String(), f.pkg)
		out, err := cmd.CombinedOutput()
		fmt.Printf("%d/%d %s %s: %s, in %s\n", i+1, len(all), f.pkg, f.name, executions(out), time.Since(began).Round(time.Second/10))
		if err != nil {
			failed = append(failed, f.pkg+" "+f.name)
			fmt.Printf("%s\n", out)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d fuzzers failed: %s", len(failed), len(all), strings.Join(failed, ", "))
	}
	return nil
}

// executions is what the last line of progress says that was tried.
func executions(out []byte) string {
	last := "nothing was tried"
	for line := range strings.Lines(string(out)) {
		if _, found, ok := strings.Cut(line, "execs: "); ok {
			last, _, _ = strings.Cut(found, " ")
			last += " executions"
		}
	}
	return last
}
