//go:build failpoint && unix

package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Enabled reports whether points can be armed. Code behind it is compiled away otherwise.
const Enabled = true

// variable is the environment variable that arms a point.
const variable = "SLOWBURN_FAILPOINT"

// moment is before or after a step.
type moment string

const (
	before moment = "before"
	after  moment = "after"
)

// armed is the armed point. The zero value is none.
type armed struct {
	point Point
	at    moment
	hit   int64 // the number of the hit that kills, from 1
}

var (
	target = fromEnvironment()
	hits   atomic.Int64
)

// fromEnvironment ends the process if the variable is malformed: a test would wait for a crash that never comes.
func fromEnvironment() armed {
	text := os.Getenv(variable)
	if text == "" {
		return armed{}
	}
	a, err := parse(text)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return a
}

func parse(text string) (armed, error) {
	parts := strings.Split(text, ":")
	if len(parts) == 3 {
		hit, err := strconv.ParseInt(parts[2], 10, 64)
		a := armed{Point(parts[0]), moment(parts[1]), hit}
		if err == nil && hit > 0 && a.point != "" && (a.at == before || a.at == after) {
			return a, nil
		}
	}
	return armed{}, fmt.Errorf("%s: %q is not a point, a moment and a hit; write spanlog.append:after:100, with a point of internal/failpoint/points.go",
		variable, text)
}

// Before is called before a step.
func Before(p Point) { meet(p, before) }

// After is called after a step.
func After(p Point) { meet(p, after) }

func meet(p Point, at moment) {
	if p != target.point || at != target.at || hits.Add(1) != target.hit {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // until the signal arrives
}
