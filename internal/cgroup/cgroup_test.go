package cgroup

import (
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
)

const (
	meminfo = "MemTotal:        4194304 kB\nMemFree:          100 kB\n" // 4 GiB
	v2Mount = "31 23 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
	v1Mount = "36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices\n" +
		"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	unlimitedV1 = "9223372036854771712\n"
	gib         = int64(1) << 30
)

func TestLimit(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"version 2, own limit": {map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": v2Mount,
			"sys/fs/cgroup/a/b/memory.max": "1073741824\n", "sys/fs/cgroup/a/memory.max": "max\n",
		}, gib},
		"version 2, limit above": {map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": v2Mount,
			"sys/fs/cgroup/a/b/memory.max": "2147483648\n", "sys/fs/cgroup/a/memory.max": "1073741824\n",
		}, gib},
		"version 2, namespace of a container": {map[string]string{
			"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": v2Mount, "sys/fs/cgroup/memory.max": "1073741824\n",
		}, gib},
		"version 2, no limit": {map[string]string{
			"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": v2Mount, "sys/fs/cgroup/a/memory.max": "max\n",
		}, 4 * gib},
		"limit above the machine's memory": {map[string]string{
			"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": v2Mount, "sys/fs/cgroup/a/memory.max": "99999999999999\n",
		}, 4 * gib},
		"version 1": {map[string]string{
			"proc/self/cgroup": "5:devices:/\n4:memory:/a/b\n0::/\n", "proc/self/mountinfo": v1Mount,
			"sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": unlimitedV1, "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1073741824\n",
		}, gib},
		"version 1, path as the host sees it": {map[string]string{
			"proc/self/cgroup":                           "4:cpu,memory:/docker/0123\n",
			"proc/self/mountinfo":                        "35 31 0:32 /docker/0123 /sys/fs/cgroup/memory ro master:7 - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n",
		}, gib},
		"version 1, group outside of the mount": {map[string]string{
			"proc/self/cgroup":                           "4:memory:/../other\n",
			"proc/self/mountinfo":                        "35 31 0:32 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n",
		}, gib},
		"no control groups": {map[string]string{}, 4 * gib},
		"nonsense": {map[string]string{
			"proc/self/cgroup": "x\n0::/a\n", "proc/self/mountinfo": "x - y\n" + v2Mount, "sys/fs/cgroup/a/memory.max": "-5\n",
		}, 4 * gib},
	} {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{"proc/meminfo": {Data: []byte(meminfo)}}
			for file, content := range tt.files {
				root[file] = &fstest.MapFile{Data: []byte(content)}
			}
			got, ok := limitOf(root)
			assert.True(t, ok)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestNoLimitIsKnown(t *testing.T) {
	_, ok := limitOf(fstest.MapFS{"proc/meminfo": {Data: []byte("MemTotal: many kB\n")}})
	assert.False(t, ok)
}

func TestLimitOfThisProcess(t *testing.T) {
	limit, ok := Limit()
	assert.Equal(t, runtime.GOOS == "linux", ok)
	if ok {
		assert.Greater(t, limit, int64(1)<<20)
	}
}
