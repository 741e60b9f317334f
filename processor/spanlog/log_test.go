package spanlog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

const testBudget = 1 << 20

func newLog(t testing.TB) (*Log, *Pool) {
	p := NewPool(testBudget, 4)
	l := New(p, 0)
	t.Cleanup(func() {
		l.Close()
		p.Close()
		assert.Zero(t, p.Used(), "memory left after Close")
	})
	return l, p
}

func origin(resource, scope string) *Origin {
	var o Origin
	o.Set([]byte(resource), []byte(scope))
	return &o
}

// bodies returns the bodies of a chain's records, one string each.
func bodies(l *Log, c Chain) []string {
	var got []string
	for r := range l.Records(c, nil) {
		got = append(got, fmt.Sprintf("%s/%s/%s", r.Resource, r.Scope, r.Body))
	}
	return got
}

func TestRecordsComeBackOldestFirst(t *testing.T) {
	l, _ := newLog(t)
	var a, b Chain
	assert.True(t, a.Empty())
	web, db := origin("web", "http"), origin("db", "sql")
	l.Append(&a, web, []byte("1"))
	l.Append(&b, web, []byte("2"))
	l.Append(&a, db, []byte("3"))
	l.Append(&a, web, nil)
	assert.Equal(t, []string{"web/http/1", "db/sql/3", "web/http/"}, bodies(l, a))
	assert.Equal(t, []string{"web/http/2"}, bodies(l, b))
	assert.Empty(t, bodies(l, Chain{}))

	for r := range l.Records(a, nil) {
		assert.Equal(t, "1", string(r.Body))
		break
	}
}

// Resources and scopes so large that a segment holds few of them are stored once for many spans, of one trace or of several, in a
// segment with room for them; spans come back in order among others.
func TestLargeOriginsAreShared(t *testing.T) {
	for _, onDisk := range []bool{false, true} {
		l, p := newLog(t)
		if onDisk {
			l, p = newDiskLog(t, t.TempDir())
		}
		header := strings.Repeat("r", 3*p.SegmentSize())
		chains := make([]Chain, 10)
		var want [10][]string
		add := func(i int, o *Origin, body string) {
			l.Append(&chains[i], o, []byte(body))
			want[i] = append(want[i], fmt.Sprintf("%s/%s/%s", o.Resource, o.Scope, body))
		}
		small := origin("small", "scope")
		for request := range 3 {
			scopes := [...]*Origin{origin(header, "a"), origin(header, "b")}
			for i := range 100 {
				add(i%10, scopes[i%2], fmt.Sprint(request, ":", i))
				add(i%10, small, fmt.Sprint("small ", request, ":", i))
			}
		}
		for i := range chains {
			assert.Equal(t, want[i], bodies(l, chains[i]))
		}
		u := l.Usage()
		assert.Less(t, u.Allocated, 2*len(header)+4*p.SegmentSize(), "in %d segments", u.Segments)
		assert.True(t, fills(l, l.wide.number), "others can follow")
		assert.False(t, l.movable(l.wide.number))

		other := origin(strings.Repeat("o", 3*p.SegmentSize()), "scope")
		add(0, other, "of another resource")
		assert.Equal(t, want[0], bodies(l, chains[0]))
		assert.Greater(t, l.Usage().Allocated, u.Allocated+3*p.SegmentSize())
		for i := range chains {
			l.Release(&chains[i])
		}
		assert.LessOrEqual(t, l.Usage().Allocated, p.SegmentSize(), "nothing of what is gone stays")
		add(1, other, "again")
		assert.Equal(t, want[1][len(want[1])-1:], bodies(l, chains[1]))
	}
}

func TestResourcesAndScopesAreStoredOncePerSegment(t *testing.T) {
	l, _ := newLog(t)
	var c Chain
	header := bytes.Repeat([]byte("r"), 1000)
	for i := range 10 {
		// Two origins of one resource, as in every request.
		for _, scope := range []string{"a", "b"} {
			var o Origin
			o.Set(header, []byte(scope))
			l.Append(&c, &o, []byte{byte(i)})
		}
	}
	want := format.HeaderSize + format.RecordHeaderSize + len(header) + 2*(format.RecordHeaderSize+1) + 20*(format.RecordHeaderSize+1)
	assert.Equal(t, want, int(l.list[l.active].used))

	origins := map[uint64]bool{}
	for r := range l.Records(c, nil) {
		origins[r.Origin] = true
	}
	assert.Len(t, origins, 2)
}

func TestSameScopeInAnotherResource(t *testing.T) {
	l, _ := newLog(t)
	var c Chain
	// A scope's header that equals its resource's header must not be taken for it either.
	l.Append(&c, origin("x", "x"), []byte("1"))
	l.Append(&c, origin("y", "x"), []byte("2"))
	l.Append(&c, origin("", ""), []byte("3"))
	assert.Equal(t, []string{"x/x/1", "y/x/2", "//3"}, bodies(l, c))
}

func TestSegmentIsRecycledWhenItsTracesAreReleased(t *testing.T) {
	l, p := newLog(t)
	o := origin("r", "s")
	body := make([]byte, 1000)
	chains := make([]Chain, 200)
	for i := range 400 {
		l.Append(&chains[i%200], o, body)
	}
	u := l.Usage()
	assert.Equal(t, 400*(1000+format.RecordHeaderSize), u.Live)
	assert.Equal(t, u.Segments*p.SegmentSize(), u.Allocated)
	assert.InDelta(t, u.Live, u.Allocated, float64(u.Allocated)/10)

	for i := range chains {
		l.Release(&chains[i])
		assert.True(t, chains[i].Empty())
	}
	u = l.Usage()
	assert.Equal(t, 1, u.Segments, "the one being filled")
	assert.Zero(t, u.Live)
	assert.Zero(t, l.runs.Len())
	assert.Equal(t, uint32(format.HeaderSize), l.list[l.active].used, "and it starts anew")

	l.Append(&chains[0], o, []byte("again"))
	assert.Equal(t, []string{"r/s/again"}, bodies(l, chains[0]), "what o remembers of the former segment is void")
}

func TestRecordLargerThanASegment(t *testing.T) {
	l, p := newLog(t)
	o := origin("resource", "scope")
	var small, large Chain
	l.Append(&small, o, []byte("before"))
	huge := bytes.Repeat([]byte("h"), 3*p.SegmentSize())
	l.Append(&large, o, huge)
	l.Append(&large, o, []byte("after"))
	l.Append(&small, o, []byte("after"))

	assert.Equal(t, []string{"resource/scope/before", "resource/scope/after"}, bodies(l, small))
	assert.Equal(t, []string{"resource/scope/" + string(huge), "resource/scope/after"}, bodies(l, large))
	assert.Equal(t, 2, l.Usage().Segments, "the huge record does not end the segment being filled")
	assert.Less(t, l.Usage().Allocated, len(huge)+2*p.SegmentSize())

	l.Release(&large)
	assert.Equal(t, 1, l.Usage().Segments)
	assert.Equal(t, []string{"resource/scope/before", "resource/scope/after"}, bodies(l, small))
}

// After any sequence of appends, releases and compactions each trace has what was appended to it, in order.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		l, p := newLog(t)
		type trace struct {
			chain Chain
			want  []string
		}
		traces := make([]trace, 60)
		var origins []*Origin
		for i := range 12 {
			origins = append(origins, origin(fmt.Sprintf("res%d", i/3), fmt.Sprintf("scope%d", i)))
		}
		for step := range 3000 {
			tr := &traces[rnd.IntN(len(traces))]
			switch k := rnd.IntN(100); {
			case k < 90:
				i := rnd.IntN(len(origins))
				size := rnd.IntN(300)
				if rnd.IntN(200) == 0 {
					size = rnd.IntN(2 * p.SegmentSize())
				}
				body := bytes.Repeat([]byte{byte('a' + step%26)}, size)
				l.Append(&tr.chain, origins[i], body)
				tr.want = append(tr.want, fmt.Sprintf("res%d/scope%d/%s", i/3, i, body))
			case k < 98:
				l.Release(&tr.chain)
				tr.want = nil
			default:
				l.Compact(rnd.Float64(), true, nil)
			}
			require.True(t, slices.Equal(tr.want, bodies(l, tr.chain)), "seed %d step %d", seed, step)
		}
		live, copied := 0, 0
		for i := range traces {
			require.True(t, slices.Equal(traces[i].want, bodies(l, traces[i].chain)), "seed %d", seed)
			for r := range l.Records(traces[i].chain, nil) {
				live += len(r.Body) + format.RecordHeaderSize
				copied += format.CopiedSize
			}
		}
		require.GreaterOrEqual(t, l.Usage().Live, live)
		require.LessOrEqual(t, l.Usage().Live, live+copied)
		require.Equal(t, int64(l.Usage().Allocated)+l.counted, p.Used())
		for i := range traces {
			l.Release(&traces[i].chain)
		}
		require.Zero(t, l.runs.Len())
		require.LessOrEqual(t, l.Usage().Segments, 1)
	}
}

func BenchmarkAppend(b *testing.B) {
	p := NewPool(512<<20, 1)
	l := New(p, 0)
	body := make([]byte, 520)
	resource, scope := make([]byte, 300), make([]byte, 60)
	var o Origin
	o.Set(resource, scope)
	const traces = 4096
	chains := make([]Chain, traces)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		c := &chains[i/12%traces]
		if i%12 == 0 {
			l.Release(c)
		}
		l.Append(c, &o, body)
		i++
	}
	b.ReportMetric(float64(p.Used())/float64(min(i, 12*traces)), "B/span")
}

// newDiskLog returns a log in a directory, which must be empty.
func newDiskLog(t testing.TB, path string) (*Log, *Pool) {
	dir, err := OpenDirectory(path)
	require.NoError(t, err)
	p := NewDiskPool(testBudget, 4*testBudget, 4)
	p.Open(dir, Seed{0x0123456789abcdef, 0xfedcba9876543210}, 0)
	require.NoError(t, p.Reserve(0, 0))
	l := New(p, 3)
	t.Cleanup(func() {
		l.Close()
		p.Close()
		assert.Zero(t, p.Used(), "memory left after Close")
		assert.NoError(t, dir.Close())
	})
	return l, p
}
