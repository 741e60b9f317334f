package proc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Group is a control group that counts the memory of its processes, including the page cache that they filled, and may
// limit it. Both versions of control groups do that.
type Group struct {
	dir   string
	files groupFiles
}

// groupFiles are the names of files and fields in a version: the limit, the use, and the parts of the use in memory.stat.
type groupFiles struct{ limit, used, anonymous, inactive string }

var (
	version1 = groupFiles{"memory.limit_in_bytes", "memory.usage_in_bytes", "rss", "inactive_file"}
	version2 = groupFiles{"memory.max", "memory.current", "anon", "inactive_file"}
)

var groups atomic.Int64

// NewGroup makes a group beside the group of this process, or below it. limit is in bytes; 0 is none. It needs the right to make
// groups, which root has on most machines, and nobody has in most containers.
func NewGroup(limit int64) (*Group, error) {
	own, err := ownGroups()
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("slowburn-bench-%d-%d", os.Getpid(), groups.Add(1))
	var errs []error
	for _, at := range own {
		for _, parent := range []string{at.dir, filepath.Dir(at.dir)} {
			g := &Group{dir: filepath.Join(parent, name), files: at.files}
			if err := g.make(limit); err != nil {
				errs = append(errs, err)
				continue
			}
			return g, nil
		}
	}
	return nil, errors.Join(append(errs, errors.New("no control group can be made that counts memory"))...)
}

func (g *Group) make(limit int64) error {
	if err := os.Mkdir(g.dir, 0o755); err != nil { //nolint:gosec // as the kernel makes them
		return err
	}
	_, err := os.Stat(filepath.Join(g.dir, g.files.used)) // version 2 has it only where memory is handed down
	if err == nil && limit > 0 {
		err = os.WriteFile(filepath.Join(g.dir, g.files.limit), strconv.AppendInt(nil, limit, 10), 0o600)
	}
	if err != nil {
		return errors.Join(err, os.Remove(g.dir))
	}
	return nil
}

// Command returns the command line that runs another one in the group, from its first page on, as the same process.
func (g *Group) Command(program string, args ...string) []string {
	return append([]string{"/bin/sh", "-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(g.dir, "cgroup.procs"), program}, args...)
}

// Charged is a group's memory in bytes. WorkingSet excludes inactive page cache, which the kernel evicts first: Kubernetes shows it
// and evicts by it.
type Charged struct{ Total, Anonymous, WorkingSet uint64 }

// Charged returns the group's memory now.
func (g *Group) Charged() (c Charged, err error) {
	text, err := os.ReadFile(filepath.Join(g.dir, g.files.used))
	if err != nil {
		return c, err
	}
	if c.Total, err = strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err != nil {
		return c, err
	}
	stat, err := os.ReadFile(filepath.Join(g.dir, "memory.stat"))
	if err != nil {
		return c, err
	}
	var inactive uint64
	for line := range strings.Lines(string(stat)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			continue
		}
		switch key {
		case g.files.anonymous:
			c.Anonymous = n
		case g.files.inactive:
			inactive = n
		}
	}
	c.WorkingSet = c.Total - min(c.Total, inactive)
	return c, nil
}

// Remove deletes the group, once its processes have ended.
func (g *Group) Remove() error {
	var err error
	for range 250 { // the kernel takes a moment to notice that they have
		if err = os.Remove(g.dir); err == nil || !errors.Is(err, syscall.EBUSY) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// ownGroups returns the groups of this process in the hierarchies that count memory.
func ownGroups() (own []Group, err error) {
	paths, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(paths) {
		f := strings.SplitN(strings.TrimSpace(string(line)), ":", 3) // hierarchy, controllers, path
		if len(f) != 3 {
			continue
		}
		for scanner := bufio.NewScanner(bytes.NewReader(mounts)); scanner.Scan(); {
			m := strings.Fields(scanner.Text()) // device, directory, kind, options
			switch {
			case len(m) < 4:
			case f[0] == "0" && m[2] == "cgroup2":
				own = append(own, Group{filepath.Join(m[1], f[2]), version2})
			case slices.Contains(strings.Split(f[1], ","), "memory") && m[2] == "cgroup" && slices.Contains(strings.Split(m[3], ","), "memory"):
				own = append(own, Group{filepath.Join(m[1], f[2]), version1})
			}
		}
	}
	return own, nil
}
