package tracefile

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// model is a file with its expected contents, in the order of storing.
type model struct {
	*bench
	rng  *rand.Rand
	all  []known
	last int // number of a trace
	now  time.Duration
}

// span returns a random span of a trace, which sometimes changes its start or duration.
func (m *model) span(k *known, start time.Duration) spec {
	id := len(k.specs) + 1
	p := spec{
		Trace: k.number, ID: id, Service: "s0", Name: fmt.Sprint("op", m.rng.IntN(3)), Start: start,
		Policy: []string{"errors", "slow"}[k.number%2], Failed: m.rng.IntN(6) == 0,
	}
	if id == 1 || m.rng.IntN(3) == 0 { // a root
		p.Start -= time.Duration(m.rng.IntN(10)) * time.Second
		p.Duration = time.Duration(1) << m.rng.IntN(34)
	} else {
		p.Parent, p.Service = 1, fmt.Sprint("s", m.rng.IntN(3))
	}
	if m.rng.IntN(8) == 0 {
		p.Link = 10_001 + m.rng.IntN(5)
	}
	k.specs = append(k.specs, p)
	first, last := k.specs[0].Start, k.specs[0].Start
	for _, p := range k.specs {
		first, last = min(first, p.Start), max(last, p.Start+p.Duration)
	}
	k.start, k.duration = first, last-first
	return p
}

// store stores new traces and late spans together, some of them of evicted traces or of traces in the same call.
func (m *model) store() {
	var td []spec
	for range 1 + m.rng.IntN(20) {
		n := len(m.all)
		if number := 1 + m.rng.IntN(m.last+1); m.rng.IntN(3) > 0 || number > m.last {
			m.last++
			m.all = append(m.all, known{number: m.last})
		} else if n = slices.IndexFunc(m.all, func(k known) bool { return k.number == number }); n < 0 {
			n = len(m.all)
			m.all = append(m.all, known{number: number})
		}
		k := &m.all[n]
		start := m.now
		if len(k.specs) > 0 {
			start = k.specs[0].Start
		}
		td = append(td, m.span(k, start))
	}
	batch := m.items(spans(td...))
	if len(batch) > 1 { // in two batches: a trace may be in both
		cut := m.rng.IntN(len(td))
		batch = append(m.items(spans(td[:cut]...)), m.items(spans(td[cut:]...))...)
	}
	slices.SortStableFunc(batch, func(a, b Item) int { return m.order(a.ID) - m.order(b.ID) })
	_, err := m.Put(batch)
	require.NoError(m.t, err)
}

func (m *model) order(id pcommon.TraceID) int {
	return slices.IndexFunc(m.all, func(k known) bool { return traceID(k.number) == id })
}

// Search finds the same as a scan, after any sequence of new traces, late spans, evictions and restarts.
func TestModel(t *testing.T) {
	hits, evicted := 0, 0
	for seed := range uint64(6) {
		m := &model{rng: rand.New(rand.NewPCG(seed, 1))}
		m.bench = opened(t, func(o *Options) { o.Retention = 5 * time.Minute; o.MaxBytes = 600 << 10 })
		for range 150 {
			m.now += time.Duration(m.rng.IntN(8)) * time.Second
			m.clock = t0.Add(m.now)
			m.chunk.limit = []int{1, 500, 2000, chunkBytes}[m.rng.IntN(4)]
			m.store()
			if m.rng.IntN(10) == 0 {
				require.NoError(t, m.Close())
				var err error
				m.File, err = Open(m.path, m.opts)
				require.NoError(t, err)
			}
			if m.rng.IntN(4) == 0 {
				m.evicted = Evicted{}
				m.maintain()
				gone := m.evicted.Age + m.evicted.Bytes
				m.all = m.all[gone:]
				evicted += gone
			}
			for range 3 {
				q := randomQuery(m.rng, 2*int(m.now/time.Second)+2)
				q.Limit = 1 + m.rng.IntN(MaxLimit)
				want := brute(m.all, q)
				require.Equal(t, want, m.found(q), "%+v", q)
				hits += len(want)
			}
		}
		requireConsistent(t, m.bench, len(m.all))
		var all []pcommon.TraceID
		for n := range m.last {
			all = append(all, traceID(n+1))
		}
		has, err := m.Has(all)
		require.NoError(t, err)
		require.Len(t, has, len(m.all))
	}
	require.Greater(t, hits, 10_000, "the test must not be vacuous")
	require.Greater(t, evicted, 1000)
}
