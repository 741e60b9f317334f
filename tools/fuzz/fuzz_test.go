package main

import (
	"slices"
	"testing"
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

// Round by round all have their turn, and as many run as are wanted.
func TestTurn(t *testing.T) {
	all := []fuzzer{{"a", "1"}, {"a", "2"}, {"b", "1"}, {"b", "2"}, {"c", "1"}}
	seen := map[fuzzer]int{}
	for round := range 5 {
		part := turn(all, 2, round)
		if len(part) != 2 {
			t.Fatal(part)
		}
		for _, f := range part {
			seen[f]++
		}
	}
	for _, f := range all {
		if seen[f] != 2 {
			t.Errorf("%v ran %d times", f, seen[f])
		}
	}
	if got := turn(all, 9, 3); len(got) != len(all) {
		t.Error(got)
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
