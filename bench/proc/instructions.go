package proc

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Counting counts the instructions of a process by `perf stat`. They depend much less than CPU time on the other load of
// the machine. Counting slows the process down.
type Counting struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

// CountInstructions begins to count the instructions of a process and all its threads, in the kernel too.
func CountInstructions(ctx context.Context, pid int) (*Counting, error) {
	c := &Counting{cmd: exec.CommandContext(ctx, "perf", "stat", "-x", ",", "-e", "instructions", "-p", strconv.Itoa(pid))}
	c.cmd.Stderr = &c.out
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("count instructions: %w", err)
	}
	return c, nil
}

// Stop ends the count and returns the number of instructions.
func (c *Counting) Stop() (float64, error) {
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		return 0, fmt.Errorf("count instructions: %w", err)
	}
	_ = c.cmd.Wait() // perf ends by the signal
	count, _, _ := strings.Cut(c.out.String(), ",")
	n, err := strconv.ParseFloat(count, 64)
	if err != nil {
		return 0, fmt.Errorf("count instructions: perf says %q", c.out.String())
	}
	return n, nil
}
