package delivery

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/destination"
)

// A trace that one destination has received is sent to another unchanged: it is read and reconstructed once, even if one of them
// is slow. A destination that is down, or slower than memory allows, reads for itself, and neither delays the other.
func TestDestinationsShareTheWork(t *testing.T) {
	const traces, every = 200, 100 * time.Millisecond
	for _, tc := range []struct {
		name   string
		takes  map[string]time.Duration // per call
		down   string                   // accepts nothing for the first ten seconds
		shelf  int64                    // bytes that may wait for other destinations; 0 is the default
		atMost int                      // the number of traces that are reconstructed again
	}{
		{"in step", nil, "", 0, traces / 5},
		{"the second is slow", map[string]time.Duration{"b": 450 * time.Millisecond}, "", 0, traces / 5},
		{"the first is slow", map[string]time.Duration{"a": 450 * time.Millisecond}, "", 0, traces / 5},
		{"one is down", nil, "b", 0, traces / 2},
		{"no memory", map[string]time.Duration{"b": 450 * time.Millisecond}, "", 1, traces},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list := []destination.Destination{asBytes("a"), asBytes("b")}
			withDestinations(t, list, func(t *testing.T, s *setup, r *running) {
				if tc.shelf > 0 {
					for _, sender := range r.senders {
						sender.shelf.most = tc.shelf
					}
				}
				var down atomic.Bool
				s.sink.answer = func(to string, _ []byte) error {
					time.Sleep(tc.takes[to])
					if to == tc.down && down.Load() {
						return errRetry
					}
					return nil
				}
				var reconstructed atomic.Int64
				s.sink.kept = func(k *wire.Kept) { // as reconstruct does
					for i := range k.Traces {
						if kept := &k.Traces[i]; !kept.Reconstructed {
							kept.Reconstructed = true
							k.SetAttribute(kept.From, wire.IntAttribute("found", 1))
							reconstructed.Add(1)
						}
					}
				}
				down.Store(true)
				for i := range traces {
					s.keepAll(byte(i))
					time.Sleep(every)
					if i == traces/2 {
						down.Store(false)
					}
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				r.end()
				require.Equal(t, sorted(s.sink.got("a")), sorted(s.sink.got("b")))
				for _, d := range s.Destinations {
					require.EqualValues(t, traces, d.DeliveredTraces.Load())
				}
				again := int(reconstructed.Load()) - traces
				require.LessOrEqual(t, again, tc.atMost)
				if tc.shelf > 0 {
					require.Greater(t, again, traces/2)
				}
			})
		})
	}
}
