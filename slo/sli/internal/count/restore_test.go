package count

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// memoryLog keeps records up to a limit.
type memoryLog struct {
	mu      sync.Mutex
	records [][]byte
	room    int
	full    bool
}

func (l *memoryLog) Append(record []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full = l.full || len(l.records) >= l.room; l.full {
		return false
	}
	l.records = append(l.records, bytes.Clone(record))
	return true
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// mixed returns requests of all sorts: several services, operations, versions, reasons, weights and statuses.
func mixed(rng *rand.Rand, n int) []slitest.Span {
	spans := make([]slitest.Span, n)
	for i := range spans {
		spans[i] = slitest.Span{
			Service: fmt.Sprint("s", rng.IntN(4)), Version: fmt.Sprint(rng.IntN(3)), Name: fmt.Sprint("op", rng.IntN(6)),
			Kind: ptrace.SpanKind(rng.IntN(6)), Status: ptrace.StatusCode(rng.IntN(3)), Duration: time.Duration(rng.Int64N(3e9)),
			Attributes: map[string]any{"error.type": fmt.Sprint("e", rng.IntN(5))}, State: []string{"", "", "ot=th:c", "ot=th:2"}[rng.IntN(4)],
		}
	}
	return spans
}

// describe returns the state of a counter as text.
func describe(c *Counter) map[string]string {
	t := fold(c)
	all := map[string]string{}
	for _, s := range t.events {
		reason, bad := s.Reason()
		all[fmt.Sprint(s.Objective(), "|", s.Service(), "|", s.Operation(), "|", s.Version(), "|", reason, bad)] = describeAges(s)
	}
	for _, s := range t.calls {
		h := *s.durations()
		h.Buckets = append([]uint64{}, h.Buckets...)
		for len(h.Buckets) > 0 && h.Buckets[len(h.Buckets)-1] == 0 { // spare capacity does not count
			h.Buckets = h.Buckets[:len(h.Buckets)-1]
		}
		all[fmt.Sprint(s.Service(), "|", s.Operation(), "|", s.Kind(), "|", s.Status())] = fmt.Sprint(h, s.Born, s.ZeroEmitted)
	}
	return all
}

// describeAges returns the events of a series by age, and by minute where they have none.
func describeAges(s *EventSeries) (text string) {
	cells := map[minute]Weight{}
	for c := range s.at.all {
		cells[c.minute] = c.n
	}
	text = fmt.Sprint(cells)
	ages := map[string]string{}
	for a := range s.ages {
		ages[a.Age()] = fmt.Sprint(a.n, a.Born, a.ZeroEmitted)
	}
	return text + fmt.Sprint(ages)
}

// flushed does what a flush does, with its zeros accepted or not.
func flushed(c *Counter, at int64, told bool) {
	c.Age(at, at)
	points, _ := c.ReadEvents(nil, 0)
	var series []*Series
	for _, p := range points {
		p.Age.Seen(p.N, at)
		series = append(series, &p.Age.Series)
	}
	calls := make([]CallPoint, 1000)
	for _, p := range calls[:c.ReadCalls(calls, 0, 0)] {
		p.Series.Seen(p.N, at)
		series = append(series, &p.Series.Series)
	}
	c.Mark(series, func(s *Series) { s.Born, s.ZeroEmitted = max(s.Born, at), s.ZeroEmitted || told })
}

// TestRestored checks that a counter that restores another one's state, at any moment, has the same state and continues in the
// same way, whether series came from a snapshot or from the log behind it, and whenever they were born, emitted and expired.
func TestRestored(t *testing.T) {
	objectives := append(benchObjectives(3, nil), slo.Objective{Name: "all", Indicator: slo.Indicator{Type: slo.Availability}})
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		small := Limits{Services: 3, Operations: 4, Versions: 2, Reasons: 3, Series: int(seed%3) * 60}
		requests := map[RequestID]int64{}
		model := New(small, objectives, func(RequestID, int64) {}) // never restarted
		c := New(small, objectives, func(id RequestID, at int64) { requests[id] = at })
		var snapshot [][]byte
		log := &memoryLog{room: 1 << 30}
		turn := func() {
			next := &memoryLog{room: 1 << 30}
			var records [][]byte
			turn, err := c.SwitchLog(next, func(record []byte) error {
				records = append(records, bytes.Clone(record))
				return nil
			})
			require.NoError(t, err)
			for id, at := range requests {
				records = append(records, AppendRequest(nil, id, at))
			}
			c.Kept(turn)
			snapshot, log = records, next
		}
		turn()
		for step := range 40 {
			at := noon.Add(20 * time.Second * time.Duration(step+1)).UnixMilli()
			switch rng.IntN(6) {
			case 0:
				turn()
			case 1:
				told := rng.IntN(4) > 0
				flushed(c, at, told)
				flushed(model, at, told)
			case 2:
				c.Expire(at - 60_000)
				model.Expire(at - 60_000)
			default:
				spans := mixed(rng, 1+rng.IntN(20))
				for i := range spans { // some end in the future, and some long ago
					spans[i].Ended = time.UnixMilli(at).Add(2*time.Second - time.Duration(rng.Int64N(int64(time.Minute)<<rng.IntN(5))))
				}
				request := slitest.Request(t, slitest.Traces(t, spans...))
				c.Count(request, RequestID{rng.Uint64(), 1}, at)
				model.Count(request, RequestID{}, at)
			}
			require.Equal(t, describe(model), describe(c), "seed %d step %d", seed, step)
			if rng.IntN(8) > 0 {
				continue
			}
			restored := map[RequestID]int64{}
			other := New(small, objectives, func(id RequestID, at int64) { restored[id] = at })
			found := Restored{Request: func(id RequestID, at int64) { restored[id] = at }}
			for _, record := range append(snapshot, log.records...) {
				require.NoError(t, other.Restore(record, &found))
			}
			other.Restored()
			require.Equal(t, describe(c), describe(other), "seed %d step %d", seed, step)
			require.Equal(t, requests, restored)
			require.Equal(t, c.tree.services.free, other.tree.services.free)
			if rng.IntN(2) == 0 { // no restart
				c = other
				requests = restored
				turn()
				for _, s := range model.tree.events { // the time since which a series is idle is not stored
					for a := range s.ages {
						a.last, a.changed = Weight{}, 0
					}
				}
				for _, s := range model.tree.calls {
					s.last, s.changed = Weight{}, 0
				}
			}
		}
	}
}

// TestObjectivesThatAreGone checks that counts of removed objectives are dropped, and the others restored.
func TestObjectivesThatAreGone(t *testing.T) {
	c := New(limits, benchObjectives(2, nil), nil)
	log := &memoryLog{room: 1 << 30}
	_, err := c.SwitchLog(log, func([]byte) error { return nil })
	require.NoError(t, err)
	c.Count(slitest.Request(t, slitest.Traces(t, failing("a", "1", "x", "r"))), RequestID{}, 0)
	other := New(limits, benchObjectives(1, nil), nil)
	for _, record := range log.records {
		require.NoError(t, other.Restore(record, &Restored{}))
	}
	other.Restored()
	got := describe(other)
	assert.Len(t, got, 1+3, "calls, and of one objective the total, the usual reason and r")
	other.Count(slitest.Request(t, slitest.Traces(t, failing("a", "1", "x", "r"))), RequestID{}, 0)
	for _, s := range callsOf(other) {
		assert.EqualValues(t, 2, s.durations().Count)
	}
}

// TestRefusedRecords checks that a counter keeps track of records that no log has, until a snapshot has them.
func TestRefusedRecords(t *testing.T) {
	c := New(limits, anything, func(RequestID, int64) {})
	small := &memoryLog{room: 5}
	turn, err := c.SwitchLog(small, func([]byte) error { return nil })
	require.NoError(t, err)
	c.Kept(turn)
	request := slitest.Request(t, slitest.Traces(t, failing("a", "1", "x", "r")))
	assert.Zero(t, c.Count(request, RequestID{}, 0).Refused, "four definitions and the spans")
	assert.Zero(t, c.Refused())
	n := c.Count(request, RequestID{}, 0)
	assert.Equal(t, turn, n.Refused)
	assert.False(t, c.IsKept(n.Refused))
	assert.Equal(t, turn, c.Refused())
	assert.Zero(t, c.Unlogged(), "it is in no count yet")
	fold(c)
	assert.Equal(t, turn, c.Unlogged())

	counted := 0
	turn, err = c.SwitchLog(&memoryLog{room: 100}, func(record []byte) error {
		if record[0] == recordCallsN {
			counted++
		}
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, 1, counted)
	assert.False(t, c.IsKept(n.Refused), "the snapshot may not be whole yet")
	c.Kept(turn)
	assert.True(t, c.IsKept(n.Refused))
	assert.Zero(t, c.Refused())
}

func FuzzRestore(f *testing.F) {
	c := New(limits, anything, func(RequestID, int64) {})
	log := &memoryLog{room: 1 << 30}
	_, err := c.SwitchLog(log, func([]byte) error { return nil })
	require.NoError(f, err)
	c.Count(slitest.Request(f, slitest.Traces(f, failing("a", "1", "x", "r"))), RequestID{1, 2}, 3)
	_, err = c.SwitchLog(log, func(record []byte) error {
		f.Add(bytes.Clone(record))
		return nil
	})
	require.NoError(f, err)
	for _, record := range log.records {
		f.Add(record)
	}
	f.Add(AppendLoss(nil, 4, "it is damaged"))
	f.Fuzz(func(_ *testing.T, record []byte) {
		c := New(limits, anything, func(RequestID, int64) {})
		found := Restored{Request: func(RequestID, int64) {}}
		for _, known := range log.records {
			_ = c.Restore(known, &found)
		}
		_ = c.Restore(record, &found) // it may be an error, and no panic
		c.Restored()
		describe(c)
	})
}

// TestRefusedExpiry checks that a series whose end the log refused does not expire, because another series would get its number
// in the log. It expires with the next log.
func TestRefusedExpiry(t *testing.T) {
	c := New(limits, anything, func(RequestID, int64) {})
	_, err := c.SwitchLog(&memoryLog{room: 6}, func([]byte) error { return nil })
	require.NoError(t, err)
	c.Count(slitest.Request(t, slitest.Traces(t, failing("a", "1", "x", "r"))), RequestID{}, 0) // four definitions and the spans
	flushed(c, 1000, true)
	before := describe(c)
	assert.Zero(t, c.Expire(2000))
	assert.Equal(t, before, describe(c))

	log := &memoryLog{room: 100}
	_, err = c.SwitchLog(log, func([]byte) error { return nil })
	require.NoError(t, err)
	assert.Equal(t, len(before), c.Expire(2000))
	assert.Empty(t, describe(c))
	assert.EqualValues(t, recordExpired, log.records[len(log.records)-1][0])
}

// TestRefusedRecordsAreInTheNextLog checks that a log begins with the records of series that the one before refused, unless there was none.
func TestRefusedRecordsAreInTheNextLog(t *testing.T) {
	c := New(limits, anything, func(RequestID, int64) {})
	request := slitest.Request(t, slitest.Traces(t, failing("a", "1", "x", "r")))
	full, next := &memoryLog{}, &memoryLog{room: 2}
	for _, log := range []*memoryLog{full, next} {
		_, err := c.SwitchLog(log, func([]byte) error { return nil })
		require.NoError(t, err)
		if log == full {
			assert.NotZero(t, c.Count(request, RequestID{}, 0).Refused)
		}
	}
	require.Len(t, next.records, 2)
	assert.EqualValues(t, recordCalls, next.records[0][0])
	last := &memoryLog{room: 100}
	_, err := c.SwitchLog(last, func([]byte) error { return nil })
	require.NoError(t, err)
	assert.Len(t, last.records, 2, "those that did not fit before")
	_, err = c.SwitchLog(nil, nil)
	require.NoError(t, err)
	assert.Empty(t, c.tree.owed.records)
}
