package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// bench builds each package's tests once, instrumented for fuzzing, and runs fuzzers out of them. It is safe for concurrent use.
type bench struct {
	dir   string // of the programs
	cache string // where fuzzers keep what they found, as `go test -fuzz` does

	mu       sync.Mutex
	programs map[string]func() (string, error) // by package
}

func newBench() (*bench, error) {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return nil, fmt.Errorf("find the cache: %w", err)
	}
	dir, err := os.MkdirTemp("", "fuzz")
	if err != nil {
		return nil, err
	}
	return &bench{dir: dir, cache: filepath.Join(strings.TrimSpace(string(out)), "fuzz"), programs: map[string]func() (string, error){}}, nil
}

func (b *bench) close() { _ = os.RemoveAll(b.dir) }

// fuzz runs a fuzzer for some time, and returns its output.
func (b *bench) fuzz(f fuzzer, each time.Duration) ([]byte, error) {
	program, err := b.program(f)()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "-test.run", "^$", "-test.fuzz", "^"+f.name+"$", "-test.fuzztime", each.String(),
		"-test.fuzzcachedir", filepath.Join(b.cache, f.pkg), "-test.parallel", "1")
	cmd.Dir = f.dir // testdata/fuzz is there
	out, err := cmd.CombinedOutput()
	if timeWasUp(out) {
		err = nil
	}
	return out, err
}

// timeWasUp reports whether a fuzzer failed only because its time was up: in Go before 1.27 the coordinator may see its context end
// before the workers do, and take that for a failure (https://go.dev/issue/75804). A failure for an input names the input's file.
func timeWasUp(out []byte) bool {
	_, failure, failed := bytes.Cut(out, []byte("--- FAIL: "))
	lines := strings.Split(strings.TrimSpace(string(failure)), "\n")
	return failed && len(lines) == 3 && strings.TrimSpace(lines[1]) == context.DeadlineExceeded.Error() && lines[2] == "FAIL"
}

// program returns what builds the tests of the fuzzer's package, or waits for it.
func (b *bench) program(f fuzzer) func() (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	build, ok := b.programs[f.pkg]
	if !ok {
		path := filepath.Join(b.dir, fmt.Sprint(len(b.programs)))
		build = sync.OnceValues(func() (string, error) {
			if out, err := exec.Command("go", "test", "-c", "-fuzz", ".", "-o", path, f.pkg).CombinedOutput(); err != nil {
				return "", fmt.Errorf("build the tests of %s: %w: %s", f.pkg, err, out)
			}
			return path, nil
		})
		b.programs[f.pkg] = build
	}
	return build
}
