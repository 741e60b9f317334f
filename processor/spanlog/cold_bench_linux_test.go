package spanlog

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
)

// counting is a filesystem that counts the bytes read from its files.
type counting struct {
	System
	read *atomic.Int64
}

func (c counting) ReadBeginning(path string, buf []byte) (int64, error) {
	c.read.Add(int64(len(buf)))
	return c.System.ReadBeginning(path, buf)
}

func (c counting) ReadAll(path string) ([]byte, error) {
	b, err := c.System.ReadAll(path)
	c.read.Add(int64(len(b)))
	return b, err
}

func (c counting) Open(path string) (ReadFile, error) {
	f, err := c.System.Open(path)
	if err != nil {
		return nil, err
	}
	return countingFile{f, c.read}, nil
}

type countingFile struct {
	ReadFile
	read *atomic.Int64
}

func (f countingFile) ReadAt(buf []byte, at int64) (int, error) {
	f.read.Add(int64(len(buf)))
	return f.ReadFile.ReadAt(buf, at)
}

// BenchmarkColdReads reads every tenth trace of a log that has left memory, as a sender does. Traces of the given size are
// interleaved with others, so that they span several segments. One operation is one span.
func BenchmarkColdReads(b *testing.B) {
	for _, pack := range []bool{false, true} {
		for _, c := range []struct{ spans, open int }{{8, 1000}, {50, 300}, {500, 60}} {
			name := "raw"
			if pack {
				name = "compressed"
			}
			b.Run(fmt.Sprintf("%s/%d spans", name, c.spans), func(b *testing.B) { benchmarkColdReads(b, c.spans, c.open, pack) })
		}
	}
}

func benchmarkColdReads(b *testing.B, spans, open int, pack bool) {
	var read atomic.Int64
	dir, err := files.OpenDirectoryOn(counting{files.OS, &read}, b.TempDir())
	require.NoError(b, err)
	p := NewDiskPool(512<<20, 1<<30, 1)
	p.Open(dir, Seed{1, 2}, 0)
	require.Equal(b, maxSegmentSize, p.SegmentSize())
	l := New(p, 0)
	defer func() {
		l.Close()
		p.Close()
		require.NoError(b, dir.Close())
	}()
	traces := fillCold(b, l, p, spans, open)
	for w := l.BeginShrink(pack, false); w != nil; w = l.BeginShrink(pack, false) {
		w.Run()
		_, err := l.EndShrink(w)
		require.NoError(b, err)
		w.Free()
	}
	pause := func(work func()) bool {
		if work != nil {
			work()
		}
		return true
	}
	read.Store(0)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	next, bytes := 0, 0
	for n := 0; n < b.N; {
		for r, err := range l.Records(traces[next%len(traces)], pause) {
			if err != nil {
				b.Fatal(err)
			}
			bytes += len(r.Body)
			n++
		}
		next += 10
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(read.Load())/float64(b.N), "read-B/op")
	b.ReportMetric(float64(bytes)/float64(b.N), "body-B/op")
	b.ReportMetric(float64(l.counted)/1024, "log-KiB")
}

// cpuTime returns the CPU time of the process in nanoseconds.
func cpuTime() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it cannot fail
	return u.Utime.Nano() + u.Stime.Nano()
}

// fillCold fills 40 segments with spans of 300 bytes, with a fixed number of traces open at a time, and returns the complete
// traces in the order in which they ended.
func fillCold(b *testing.B, l *Log, p *Pool, spans, open int) (complete []Chain) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var origins [20]Origin
	for i := range origins {
		origins[i].Set(fmt.Appendf(nil, "resource %d %0600d", i, i), fmt.Appendf(nil, "scope %d", i))
	}
	words := []string{"http.request.method", "GET", "POST", "url.path", "/api/v1/orders/", "server.address", "checkout", "payment", "\x0a\x10", "\x12\x08"}
	body := make([]byte, 0, 400)
	chains, counts := make([]Chain, open), make([]int, open)
	for l.Usage().Segments < 40 {
		i := rnd.IntN(open)
		body = body[:0]
		for len(body) < 300 {
			body = append(body, words[rnd.IntN(len(words))]...)
			body = append(body, byte(rnd.Uint32()), byte(rnd.Uint32()))
		}
		for p.Reserve(1000, 0) != nil { // the disk may be slow
			require.NoError(b, b.Context().Err())
		}
		l.Append(&chains[i], &origins[rnd.IntN(len(origins))], body)
		p.Cancel(1000)
		if counts[i]++; counts[i] == spans {
			complete = append(complete, chains[i])
			chains[i], counts[i] = Chain{}, 0
		}
	}
	return complete
}
