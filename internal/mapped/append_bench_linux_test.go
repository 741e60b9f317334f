package mapped

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	appendSegment = 1 << 20 // bytes
	appendRecord  = 520     // bytes of a record, about the benchmark's mean
	appendIndex   = 16      // bytes per span that a log without a mapping keeps in memory
	appendFiles   = 64      // files in turn, more than a processor's cache holds
)

// appended is a segment that a way to append has filled. close ends its use: its file stays, and can be filled again.
type appended struct {
	index []byte
	close func()
}

// appendWay fills a segment's file, which is new or was filled before, by shares of a request.
type appendWay struct {
	name string
	fill func(b *testing.B, path string, share int) appended
}

var appendWays = []appendWay{
	{"mapping", func(b *testing.B, path string, share int) appended { return fillMapped(b, path, share, appendSegment) }},
	{"mapping, 64 KiB made present ahead", func(b *testing.B, path string, share int) appended { return fillMapped(b, path, share, 64<<10) }},
	{"mapping, a fault per page", func(b *testing.B, path string, share int) appended { return fillMapped(b, path, share, 0) }},
	{"pwrite", func(b *testing.B, path string, share int) appended { return fillWritten(b, path, share, false) }},
	{"pwrite, mapped for reading", func(b *testing.B, path string, share int) appended { return fillWritten(b, path, share, true) }},
}

// putRecord writes a record with a checksum, as the span log does.
func putRecord(to, body []byte) {
	binary.LittleEndian.PutUint32(to[4:], uint32(len(body)))
	copy(to[16:], body)
	binary.LittleEndian.PutUint32(to, crc32.Checksum(to[4:appendRecord], crc32.MakeTable(crc32.Castagnoli)))
}

var appendBody = make([]byte, appendRecord-16)

func openSegment(b *testing.B, path string) *os.File {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(b, err)
	require.NoError(b, preallocate(f, appendSegment))
	return f
}

// fillMapped appends by stores, and makes so many bytes ahead of them present.
func fillMapped(b *testing.B, path string, _, ahead int) appended {
	f := openSegment(b, path)
	m, err := mapShared(f, appendSegment)
	require.NoError(b, err)
	require.NoError(b, f.Close())
	present := 0
	for at := 0; at+appendRecord <= appendSegment; at += appendRecord {
		if ahead > 0 && at+appendRecord > present {
			to := min(appendSegment, present+ahead)
			require.NoError(b, populate(m[present:to]))
			present = to
		}
		putRecord(m[at:], appendBody)
	}
	return appended{close: func() { unmap(m) }}
}

// fillWritten appends by a system call per share, and keeps an index.
func fillWritten(b *testing.B, path string, share int, read bool) appended {
	f := openSegment(b, path)
	var m []byte
	if read {
		var err error
		m, err = syscall.Mmap(int(f.Fd()), 0, appendSegment, syscall.PROT_READ, syscall.MAP_SHARED)
		require.NoError(b, err)
	}
	each := max(1, share/appendRecord)
	buf := make([]byte, 0, each*appendRecord)
	index := make([]byte, 0, appendSegment/appendRecord*appendIndex)
	from := 0
	for at := 0; at+appendRecord <= appendSegment; at += appendRecord {
		n := len(buf)
		buf = buf[:n+appendRecord]
		putRecord(buf[n:], appendBody)
		index = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(index, uint64(at)), appendRecord)
		if len(buf) == cap(buf) || at+2*appendRecord > appendSegment {
			_, err := f.WriteAt(buf, int64(from))
			require.NoError(b, err)
			from += len(buf)
			buf = buf[:0]
		}
	}
	return appended{index, func() {
		if m != nil {
			unmap(m)
		}
		require.NoError(b, f.Close())
	}}
}

// BenchmarkAppend fills segments of a mebibyte with records of 520 bytes, of files that are new, of such that were filled just before, and
// of such that the kernel has written out since. It reports the thread's CPU time for each, and the process's resident memory per span
// while the segments are in use.
func BenchmarkAppend(b *testing.B) {
	for _, state := range []string{"recycled", "written out", "new"} {
		for _, share := range []int{26 << 10, 104 << 10, 6 << 10} {
			for _, way := range appendWays {
				if strings.HasPrefix(way.name, "mapping") && share != 26<<10 {
					continue // it makes no difference
				}
				b.Run(fmt.Sprintf("%s/%s/%d KiB", state, way.name, share>>10), func(b *testing.B) {
					benchmarkAppend(b, state, share, way.fill)
				})
			}
		}
	}
}

func benchmarkAppend(b *testing.B, state string, share int, fill func(*testing.B, string, int) appended) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	dir := b.TempDir()
	path := func(n int) string { return filepath.Join(dir, strconv.Itoa(n%appendFiles)) }
	var all []appended
	before := residentBytes(b)
	for n := range appendFiles {
		all = append(all, fill(b, path(n), share))
	}
	held := residentBytes(b) - before
	for _, a := range all {
		a.close()
	}
	cpu, n := int64(0), 0
	for b.Loop() {
		switch state {
		case "new":
			require.NoError(b, os.Remove(path(n)))
		case "written out":
			f, err := os.Open(path(n))
			require.NoError(b, err)
			require.NoError(b, f.Sync())
			require.NoError(b, f.Close())
		}
		begin := threadTime(b)
		fill(b, path(n), share).close()
		cpu += threadTime(b) - begin
		n++
	}
	b.ReportMetric(float64(cpu)/1e3/float64(n), "cpu-µs/MiB")
	b.ReportMetric(float64(held)/float64(appendFiles*(appendSegment/appendRecord)), "resident-B/span")
	b.ReportMetric(0, "ns/op")
}

// threadTime returns the CPU time of this goroutine's thread in nanoseconds.
func threadTime(b *testing.B) int64 {
	const thread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(thread, &u))
	return u.Utime.Nano() + u.Stime.Nano()
}

// residentBytes returns the resident memory of the process, mapped files included.
func residentBytes(b *testing.B) int64 {
	text, err := os.ReadFile("/proc/self/statm")
	require.NoError(b, err)
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	require.NoError(b, err)
	return pages * int64(os.Getpagesize())
}
