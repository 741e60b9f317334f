package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// quick is the longest duration of tests that run before the others.
	quick = 300 * time.Millisecond
	// alone is the duration from which on a suite is traced test by test, so that a mutant runs only the tests that execute it.
	alone = 3 * time.Second
	// elsewhere bounds the tests of importers: the quickest that execute a mutant, up to so much time.
	elsewhere = 30 * time.Second
	// maxSkipped is the largest number of tests of a package that may fail without a mutant.
	maxSkipped = 5
	// addressSpace limits the memory of a mutant in KiB, in case it allocates without end; fileSize limits the files that it writes.
	addressSpace = 16 << 20
	fileSize     = 8 << 20
)

// suite is the tests of one package, built with all mutants.
type suite struct {
	pkg   *pkg
	path  string // the test binary
	tests []test
	// skipped are tests that fail without a mutant: they count allocations, which the switches of mutants change.
	skipped []string
	took    time.Duration // all other tests, without a mutant
}

// test is a function that the testing package runs.
type test struct {
	name     string
	took     time.Duration
	executes map[int]bool // mutants
}

// build compiles a package's tests.
func build(ctx context.Context, root, dir, overlay string, of *pkg) (*suite, error) {
	s := &suite{pkg: of, path: filepath.Join(dir, strings.ReplaceAll(of.ImportPath, "/", "-")+".test")}
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", s.path, of.ImportPath)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the tests of %s: %w\n%s", of.ImportPath, err, out)
	}
	return s, nil
}

// run runs tests, all where names is empty, and returns what they print. It fails if they do, or take longer than limit.
func (s *suite) run(ctx context.Context, names []string, limit time.Duration, env ...string) ([]byte, error) {
	scratch, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	args := []string{"-c", fmt.Sprintf(`ulimit -v %d; ulimit -f %d; ulimit -c 0; exec "$0" "$@"`, addressSpace, fileSize),
		s.path, "-test.v", "-test.failfast", "-test.timeout=" + limit.String()}
	if len(names) > 0 {
		args = append(args, "-test.run=^("+strings.Join(names, "|")+")$")
	}
	if len(s.skipped) > 0 {
		args = append(args, "-test.skip=^("+strings.Join(s.skipped, "|")+")$")
	}
	ctx, cancel := context.WithTimeout(ctx, limit+5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", args...)
	cmd.Dir, cmd.Env = s.pkg.Dir, append(os.Environ(), append(env, "TMPDIR="+scratch)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.Bytes(), err
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

var passed = regexp.MustCompile(`(?m)^--- (PASS|SKIP): (\S+) \(([0-9.]+)s\)`)

// baseline runs the tests without a mutant, and notes how long they take and which mutants they execute.
func (s *suite) baseline(ctx context.Context, dir string) error {
	start := time.Now()
	out, executes, err := s.trace(ctx, dir, nil)
	for err != nil {
		failing := failed.FindSubmatch(out)
		if failing == nil || len(s.skipped) == maxSkipped {
			return err
		}
		name, _, _ := strings.Cut(string(failing[1]), "/")
		s.skipped = append(s.skipped, name)
		start = time.Now()
		out, executes, err = s.trace(ctx, dir, nil)
	}
	s.took = time.Since(start)
	if len(executes) == 0 {
		return nil
	}
	for _, line := range passed.FindAllSubmatch(out, -1) {
		name := string(line[2])
		seconds, err := strconv.ParseFloat(string(line[3]), 64)
		if err != nil {
			return err
		}
		took := time.Duration(seconds * float64(time.Second))
		if i := slices.IndexFunc(s.tests, func(t test) bool { return t.name == name }); i >= 0 {
			s.tests[i].took += took // TestMain may run all tests more than once
			continue
		}
		s.tests = append(s.tests, test{name, took, executes})
	}
	slices.SortStableFunc(s.tests, func(a, b test) int { return int(a.took - b.took) })
	if s.took < alone {
		return nil
	}
	for i := range s.tests {
		if _, s.tests[i].executes, err = s.trace(ctx, dir, []string{s.tests[i].name}); err != nil {
			return err
		}
	}
	return nil
}

// trace runs tests without a mutant, and returns the mutants that they execute.
func (s *suite) trace(ctx context.Context, dir string, names []string) (out []byte, executes map[int]bool, err error) {
	path := filepath.Join(dir, "trace")
	defer os.Remove(path)
	out, err = s.run(ctx, names, 20*time.Minute, traceVariable+"="+path)
	if err != nil {
		return out, nil, fmt.Errorf("the tests of %s fail without a mutant: %w\n%s", s.pkg.ImportPath, err, out)
	}
	executes = map[int]bool{}
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return out, executes, nil
	}
	for lines := bufio.NewScanner(bytes.NewReader(content)); lines.Scan(); {
		id, err := strconv.Atoi(lines.Text())
		if err != nil {
			return nil, nil, err
		}
		executes[id] = true
	}
	return out, executes, err
}

// outcome is the fate of a mutant.
type outcome struct {
	executed bool
	killer   string // what killed it, for people; empty where it survived
	took     time.Duration
}

// judge runs the tests that execute a mutant, suite by suite, until one kills it.
func judge(ctx context.Context, m *mutant, suites []*suite) {
	start := time.Now()
	for _, s := range suites {
		var batches [2]struct { // the quick tests, and the others
			names []string
			took  time.Duration
		}
		var all time.Duration
		for _, t := range s.tests { // in order of their time
			if !t.executes[m.id] {
				continue
			}
			m.executed = true
			if all += t.took; all > elsewhere && s.pkg != m.file.pkg {
				break
			}
			b := &batches[0]
			if t.took > quick {
				b = &batches[1]
			}
			b.names, b.took = append(b.names, t.name), b.took+t.took
		}
		for _, b := range batches {
			if len(b.names) == 0 || m.killer != "" {
				continue
			}
			out, err := s.run(ctx, b.names, 10*time.Second+5*b.took, activeVariable+"="+strconv.Itoa(m.id))
			if err != nil {
				m.killer = killer(out, err)
			}
		}
		if m.killer != "" {
			break
		}
	}
	m.took = time.Since(start)
}

func killer(out []byte, err error) string {
	if bytes.Contains(out, []byte("panic: test timed out")) {
		return "time-out"
	}
	if test := failed.FindSubmatch(out); test != nil {
		return string(test[1])
	}
	return "crash: " + err.Error()
}
