package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/slowburn/slowburn/bench/proc"
)

var ungrouped sync.Once // prints once that no control group can be made

// enter returns the command line that runs the target in a control group, or line itself if no group can be made. slowburn's group has
// a memory limit.
func (r *running) enter(t target, s scenario, line []string) ([]string, error) {
	limit := int64(0)
	if t.isSlowburn() {
		budget, err := memoryBytes(s.memory)
		if err != nil {
			return nil, err
		}
		limit = budget + spareMemory
	}
	group, err := proc.NewGroup(limit)
	if err != nil {
		ungrouped.Do(func() {
			fmt.Fprintf(os.Stderr, "no control group can be made here, so nothing is limited, and what counts against the limit is anonymous "+
				"memory and the page cache of the program and of its data, by mincore: %v\n", err)
		})
		return line, nil //nolint:nilerr // it is said, and measured in another way
	}
	r.group = group
	return group.Command(line[0], line[1:]...), nil
}

// charged returns the memory that counts against a memory limit.
func (r *running) charged(m proc.Memory) (proc.Charged, error) {
	if r.group != nil {
		return r.group.Charged()
	}
	total := m.Anonymous + proc.Cached(filepath.Dir(r.log), r.cmd.Path)
	return proc.Charged{Total: total, Anonymous: m.Anonymous, WorkingSet: total}, nil
}

// leave removes the control group, once the process has ended.
func (r *running) leave() error {
	if r.group == nil {
		return nil
	}
	return r.group.Remove()
}

// memoryBytes parses --memory, and returns bytes.
func memoryBytes(text string) (int64, error) {
	for unit, size := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64); err == nil && n > 0 {
				return n * size, nil
			}
		}
	}
	return 0, fmt.Errorf("--memory %q: write a whole number and KiB, MiB or GiB, such as 512MiB", text)
}
