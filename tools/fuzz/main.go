// Command fuzz runs all fuzzers of the module that it is started in, always in the same order: it finds them in the sources, so that
// none is forgotten. As many run at once as there are processors, each with one worker: that tries about as many inputs per second as
// one fuzzer with all of the processors, and none waits while another starts or ends.
//
//	-time   how long each runs
//	-total  how long all run together, each the same part of it; -time does not count then
//	-jobs   how many run at once
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
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	each := flag.Duration("time", 10*time.Second, "how long each fuzzer runs")
	total := flag.Duration("total", 0, "how long all fuzzers run together")
	jobs := flag.Int("jobs", runtime.GOMAXPROCS(0), "how many fuzzers run at once")
	list := flag.Bool("list", false, "list the fuzzers, and run none")
	flag.Parse()
	all, err := find()
	if err == nil && len(all) == 0 {
		err = errors.New("there is no fuzzer here: start it in the directory of the module")
	}
	if err == nil && *jobs < 1 {
		err = fmt.Errorf("-jobs: %d is less than 1; write how many fuzzers run at once", *jobs)
	}
	if err == nil && !*list {
		if *total > 0 {
			*each = share(*total, len(all), *jobs)
		}
		err = run(all, *each, *jobs)
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
type fuzzer struct{ pkg, dir, name string }

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
				all = append(all, fuzzer{p.ImportPath, p.Dir, name})
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

// share is how long each of n fuzzers runs where so many run at once, and all of them for a time.
func share(total time.Duration, n, jobs int) time.Duration {
	rounds := (n + jobs - 1) / jobs
	return total / time.Duration(rounds)
}

// run runs fuzzers for some time each, so many at once.
func run(all []fuzzer, each time.Duration, jobs int) error {
	bench, err := newBench()
	if err != nil {
		return err
	}
	defer bench.close()
	var mu sync.Mutex // guards failed, and has results printed one at a time
	var failed []string
	next := make(chan int, len(all))
	for i := range all {
		next <- i
	}
	close(next)
	var workers sync.WaitGroup
	for range jobs {
		workers.Go(func() {
			for i := range next {
				began := time.Now()
				out, err := bench.fuzz(all[i], each)
				mu.Lock()
				fmt.Printf("%d/%d %s %s: %s, in %s\n", i+1, len(all), all[i].pkg, all[i].name, executions(out), time.Since(began).Round(time.Second/10))
				if err != nil {
					failed = append(failed, all[i].pkg+" "+all[i].name)
					fmt.Printf("%s%v\n", out, err)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if len(failed) > 0 {
		slices.Sort(failed)
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
