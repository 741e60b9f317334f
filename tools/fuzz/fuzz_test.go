package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestFuzzersIn(t *testing.T) {
	const src = `package p
func FuzzOne(f *testing.F) {}
func FuzzNone(t *testing.T) {}
func FuzzWith(f *testing.F, n int) {}
func (x T) FuzzMethod(f *testing.F) {}
func Fuzz() {}
func TestFuzz(t *testing.T) {}
func FuzzTwo(f *testing.F) {}`
	got, err := fuzzersIn("p_test.go", src)
	if want := []string{"FuzzOne", "FuzzTwo"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v %v, not %v", got, err, want)
	}
	if _, err := fuzzersIn("p_test.go", "no Go"); err == nil {
		t.Error("what is no Go has an error")
	}
}

// All fuzzers together take the time that they are given.
func TestShare(t *testing.T) {
	for _, c := range []struct {
		n, jobs int
		want    time.Duration
	}{{41, 2, time.Hour / 21}, {41, 1, time.Hour / 41}, {3, 8, time.Hour}} {
		if got := share(time.Hour, c.n, c.jobs); got != c.want {
			t.Errorf("%d fuzzers, %d at once: %s, not %s", c.n, c.jobs, got, c.want)
		}
	}
}

// The end of a fuzzer's time is no failure, even where Go takes it for one; an input that is slow is.
func TestTimeWasUp(t *testing.T) {
	const progress = "fuzz: elapsed: 9s, execs: 267171 (27970/sec), new interesting: 16 (total: 29)\n"
	for _, c := range []struct {
		out  string
		want bool
	}{
		{progress + "--- FAIL: FuzzScan (10.07s)\n    context deadline exceeded\nFAIL\n", true},
		{progress + "PASS\n", false},
		{progress + "--- FAIL: FuzzScan (0.02s)\n    --- FAIL: FuzzScan (0.00s)\n        scan_test.go:9: context deadline exceeded\n    \n" +
			"    Failing input written to testdata/fuzz/FuzzScan/771e938e4458e983\nFAIL\n", false},
		{progress + "--- FAIL: FuzzScan (10.07s)\n    fuzzing process hung or terminated unexpectedly: exit status 2\nFAIL\n", false},
		{progress + "panic: context deadline exceeded\n", false},
	} {
		if got := timeWasUp([]byte(c.out)); got != c.want {
			t.Errorf("%v, not %v:\n%s", got, c.want, c.out)
		}
	}
}

// A fuzzer that fails for an input is told, with the input, and keeps no other from running.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module m\n\ngo 1.24\n",
		"m_test.go": "package m\n\nimport \"testing\"\n\n" +
			"func FuzzBad(f *testing.F) { f.Fuzz(func(t *testing.T, n int) { if n != 0 { t.Fatal(n) } }) }\n" +
			"func FuzzGood(f *testing.F) { f.Fuzz(func(t *testing.T, n int) {}) }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	t.Setenv("GOFLAGS", "-mod=mod")
	all, err := find()
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	err = run(all, time.Second, 2)
	if err == nil || err.Error() != "1 of 2 fuzzers failed: m FuzzBad" {
		t.Error(err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "testdata", "fuzz", "FuzzBad", "*")); len(found) != 1 {
		t.Error("the input is not in testdata/fuzz:", found)
	}
}

func TestExecutions(t *testing.T) {
	out := "fuzz: elapsed: 0s, gathering baseline coverage: 0/3 completed\nfuzz: elapsed: 3s, execs: 42 (14/sec), new interesting: 1\n" +
		"fuzz: elapsed: 6s, execs: 99 (19/sec), new interesting: 1\nPASS\n"
	if got := executions([]byte(out)); got != "99 executions" {
		t.Error(got)
	}
	if got := executions(nil); got != "nothing was tried" {
		t.Error(got)
	}
}
