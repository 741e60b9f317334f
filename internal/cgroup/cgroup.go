package cgroup

import (
	"bufio"
	"bytes"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Limit returns the memory that the process may use, in bytes: the lowest limit of its control group and of those above
// it, and at most the memory of the machine. ok is false if neither can be read, as on systems other than Linux.
func Limit() (limit int64, ok bool) { return limitOf(os.DirFS("/")) }

// limitOf is Limit below a root directory.
func limitOf(root fs.FS) (int64, bool) {
	limit := machine(root)
	for _, g := range groups(root) {
		limit = min(limit, g.limit(root))
	}
	return limit, limit < math.MaxInt64
}

// machine returns the memory of the machine, math.MaxInt64 if unknown.
func machine(root fs.FS) int64 {
	b, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return math.MaxInt64
	}
	for line := range bytes.Lines(b) {
		if f := strings.Fields(string(line)); len(f) >= 2 && f[0] == "MemTotal:" {
			if kib, err := strconv.ParseInt(f[1], 10, 64); err == nil && kib > 0 && kib < math.MaxInt64>>10 {
				return kib << 10
			}
		}
	}
	return math.MaxInt64
}

// group is the control group of the process in one hierarchy: the mount point of the hierarchy, the path of the group
// below it, and the file with the limit.
type group struct{ mount, path, file string }

// limit returns the lowest limit of the group and of those above it, math.MaxInt64 if there is none.
func (g group) limit(root fs.FS) int64 {
	lowest := int64(math.MaxInt64)
	for dir := g.path; ; dir = path.Dir(dir) {
		if b, err := fs.ReadFile(root, path.Join(g.mount, dir, g.file)); err == nil {
			// "max" is not a number, and no limit.
			if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && n > 0 {
				lowest = min(lowest, n)
			}
		}
		if dir == "." || dir == "/" {
			return lowest
		}
	}
}

// groups returns the groups of the process that may limit memory: one, or two if both versions are mounted.
func groups(root fs.FS) []group {
	paths, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return nil
	}
	mounts, err := fs.ReadFile(root, "proc/self/mountinfo")
	if err != nil {
		return nil
	}
	var all []group
	for line := range bytes.Lines(paths) {
		// hierarchy ID, controllers, path: "4:memory:/a" in version 1, "0::/a" in version 2
		f := strings.SplitN(strings.TrimSpace(string(line)), ":", 3)
		if len(f) != 3 {
			continue
		}
		switch {
		case slices.Contains(strings.Split(f[1], ","), "memory"):
			all = appendGroup(all, mounts, f[2], "memory.limit_in_bytes", func(kind, options string) bool {
				return kind == "cgroup" && slices.Contains(strings.Split(options, ","), "memory")
			})
		case f[0] == "0" && f[1] == "":
			all = appendGroup(all, mounts, f[2], "memory.max", func(kind, _ string) bool { return kind == "cgroup2" })
		}
	}
	return all
}

// appendGroup appends the group with the path if a matching hierarchy is mounted.
func appendGroup(all []group, mounts []byte, groupPath, file string, match func(kind, options string) bool) []group {
	for lines := bufio.NewScanner(bytes.NewReader(mounts)); lines.Scan(); {
		// mount ID, parent, device, root, mount point, options, optional fields, "-", kind, source, super options
		left, right, found := strings.Cut(lines.Text(), " - ")
		f, super := strings.Fields(left), strings.Fields(right)
		if !found || len(f) < 5 || len(super) < 3 || !match(super[0], super[2]) {
			continue
		}
		// In a container, the mount's root may be the process's own group, while its path starts at the
		// host's root.
		below, within := strings.CutPrefix(groupPath, f[3])
		if f[3] == "/" {
			below, within = groupPath, true
		}
		if !within || strings.HasPrefix(path.Clean(below), "..") {
			below = "/"
		}
		return append(all, group{mount: strings.TrimPrefix(f[4], "/"), path: path.Clean("/" + below), file: file})
	}
	return all
}
