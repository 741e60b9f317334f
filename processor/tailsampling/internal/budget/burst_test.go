package budget

import (
	"encoding/binary"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
)

// After bursts of traces without a root, whose index is many times the budget, the memory is returned: ordinary traces
// are accepted, and wait for their decision.
func TestBurstsGiveTheirMemoryBack(t *testing.T) {
	for name, onDisk := range map[string]bool{"memory": false, "disk": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSetup(t, 4, Settings{OnDisk: onDisk})
				defer s.close()
				s.run()
				s.settle()
				before, id := s.pool.Used(), uint64(0)
				for range 3 {
					for range 100 {
						s.take(500, &id)
					}
					synctest.Wait() // until relief has stopped
					// The index is counted as it grows, after its request was accepted.
					require.Less(t, s.pool.Used(), s.pool.Limit()*17/16)
					require.Positive(t, s.buffer.Sum().Pending, "no more is decided early than must be")
					s.decide()
					for _, m := range s.buffer.Members {
						m.Lock()
						for m.EvictOldest(s.buffer.Now()) > 0 {
						}
						s.buffer.Leave(m)
					}
					require.Less(t, s.buffer.Index.Load(), s.pool.Limit()/10)
					if !onDisk { // on disk the journal takes a large part of so small a budget
						require.Less(t, s.pool.Used(), before+s.pool.Limit()/10)
					}
					s.take(20, &id)
					require.EqualValues(t, 20, s.buffer.Sum().Pending, "what is ordinary waits")
					s.decide()
				}
			})
		})
	}
}

// take accepts traces of one span each as the sampler does; their IDs begin at id.
func (s *setup) take(traces int, id *uint64) {
	s.t.Helper()
	r := s.request(make([]testSpan, traces)...)
	for i := range r.Spans {
		*id++
		binary.BigEndian.PutUint64(r.Spans[i].TraceID[:], *id)
		r.Spans[i].TraceID[15] = 1
	}
	need, large := s.Size(r)
	require.NoError(s.t, s.Reserve(need, large))
	defer s.pool.Cancel(need)
	var in intake.Request
	in.Prepare(r, s.buffer.Members[0].Versions().Current(), s.buffer.Seed, len(s.buffer.Members))
	require.NoError(s.t, s.buffer.Add(&in, never))
}
