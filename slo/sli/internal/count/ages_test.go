package count

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// agesOf returns the events of the total of the only objective by age, and how many have none.
func agesOf(c *Counter) (ages map[string]int64, waiting int64) {
	ages = map[string]int64{}
	for _, s := range eventsOf(c) {
		if _, bad := s.Reason(); bad {
			continue
		}
		for a := range s.ages {
			if n, _ := a.n.Integer(); n > 0 {
				ages[a.Age()] += n
			}
		}
		for cell := range s.at.all {
			n, _ := cell.n.Integer()
			waiting += n
		}
	}
	return ages, waiting
}

func millis(t time.Time) int64 { return t.UnixMilli() }

func countAt(t *testing.T, c *Counter, at time.Time, ended ...time.Time) {
	var spans []slitest.Span
	for _, e := range ended {
		spans = append(spans, slitest.Span{Service: "s", Name: "x", Duration: time.Second, Ended: e})
	}
	c.Count(slitest.Request(t, slitest.Traces(t, spans...)), RequestID{}, millis(at))
}

// TestAge checks which age events have, by when their spans ended, when they were counted, and the time of the sample.
func TestAge(t *testing.T) {
	s := func(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }
	for name, c := range map[string]struct {
		ended, counted, sample, now float64 // seconds after noon
		age                         string  // empty: it waits
	}{
		"in the minute":                             {5, 6, 10, 10, "0"},
		"the first instant of a minute":             {60, 60, 70, 70, "0"},
		"the last instant of a minute":              {59.999, 60, 70, 70, "1"},
		"at the sample":                             {60, 60, 60, 60, ""},
		"before the sample at the end of a minute":  {59.5, 59.9, 60, 60, "0"},
		"counted after the end, and before a flush": {59.9, 60.001, 60, 60.002, "0"},
		"ended after the time of the flush":         {60.0005, 60.001, 60, 60.002, ""},
		"a flush that is minutes late":              {60, 60, 245, 245, "3"},
		"ended while a flush was held up":           {185, 186, 60, 190, ""},
		"a clock that was set back":                 {185, 186, 60, 60, "0"},
		"in the future, in another minute":          {300, 50, 60, 60, "0"},
		"a minute ago":                              {-30, 30, 40, 40, "1"},
		"fifteen minutes ago":                       {-14*60 - 59, 59, 60, 60, "15"},
		"sixteen minutes ago":                       {-15*60 - 1, 59, 60, 60, "late"},
		"fifteen when counted, sixteen when sent":   {-14*60 - 59, 59, 61, 61, "late"},
		"two hours ago":                             {-7200, 30, 40, 40, "late"},
		"a sample of hours later":                   {30, 30, 7200, 7200, "late"},
	} {
		t.Run(name, func(t *testing.T) {
			counter := New(limits, anything, nil)
			countAt(t, counter, s(c.counted), s(c.ended))
			counter.Age(millis(s(c.sample)), millis(s(c.now)))
			ages, waiting := agesOf(counter)
			if c.age == "" {
				assert.Empty(t, ages)
				assert.EqualValues(t, 1, waiting)
				counter.Age(millis(s(c.now+300)), millis(s(c.now+300)))
				ages, waiting = agesOf(counter)
				assert.Len(t, ages, 1, "the next sample after its minute began has it")
				assert.Zero(t, waiting)
				return
			}
			assert.Equal(t, map[string]int64{c.age: 1}, ages)
			assert.Zero(t, waiting)
		})
	}
}

// TestSpanWithoutEnd checks that a span without a time of its end counts by its arrival.
func TestSpanWithoutEnd(t *testing.T) {
	c := New(limits, anything, nil)
	countAt(t, c, noon, time.Unix(0, 0))
	c.Age(millis(noon.Add(time.Second)), millis(noon.Add(time.Second)))
	ages, _ := agesOf(c)
	assert.Equal(t, map[string]int64{"0": 1}, ages)
}

// TestSampleMinusAge checks that the minute of the sample, less the age, is that in which the span ended, whenever it was counted and
// flushed, with folds in between.
func TestSampleMinusAge(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		c := New(limits, anything, nil)
		want, got := map[minute]int64{}, map[minute]int64{}
		before := map[string]int64{}
		late, now := int64(0), noon
		for range 300 {
			now = now.Add(time.Duration(rng.Int64N(int64(20 * time.Second))))
			ended := now.Add(-time.Duration(rng.Int64N(int64(time.Minute) << rng.IntN(5))))
			countAt(t, c, now, ended)
			m := minuteOf(millis(ended))
			want[m]++
			if rng.IntN(4) == 0 {
				fold(c)
			}
			if rng.IntN(3) > 0 {
				continue
			}
			at := now.Truncate(10 * time.Second)
			c.Age(millis(at), millis(now))
			ages, _ := agesOf(c)
			for age, n := range ages {
				if age == "late" {
					late = n
					continue
				}
				var back minute
				_, err := fmt.Sscan(age, &back)
				require.NoError(t, err)
				got[sampleMinute(millis(at))-back] += n - before[age]
			}
			before = ages
		}
		sum := late
		for m, n := range got {
			assert.LessOrEqual(t, n, want[m], "seed %d, minute %d", seed, m)
			sum += n
		}
		_, waiting := agesOf(c)
		assert.EqualValues(t, 300, sum+waiting)
		short := int64(0)
		for m, n := range want {
			short += n - got[m]
		}
		assert.Equal(t, late+waiting, short, "only late events are not in their minute")
	}
}

// TestManyMinutes checks that a series tells a bounded number of minutes apart while its events wait for a sample, and loses none.
func TestManyMinutes(t *testing.T) {
	c := New(limits, anything, nil)
	for m := range 100 {
		at := noon.Add(time.Duration(m) * time.Minute)
		countAt(t, c, at, at, at.Add(-time.Duration(m)*time.Minute/3))
	}
	for _, s := range eventsOf(c) {
		assert.LessOrEqual(t, len(s.ending), maxEnding)
	}
	at := noon.Add(99*time.Minute + 10*time.Second)
	c.Age(millis(at), millis(at))
	ages, waiting := agesOf(c)
	assert.Zero(t, waiting)
	sum := int64(0)
	for _, n := range ages {
		sum += n
	}
	assert.EqualValues(t, 200, sum)
	for age := range oldestAge + 1 {
		assert.GreaterOrEqual(t, ages[ageNames[age]], int64(1), "age %d", age)
	}
}

// TestAgesWithinTheLimit checks that at the limit of series ages from 2 on count as late, and no event is lost.
func TestAgesWithinTheLimit(t *testing.T) {
	bounded := limits
	bounded.Series = 1
	c := New(bounded, anything, nil)
	ended := make([]time.Time, 20)
	for i := range ended {
		ended[i] = noon.Add(-time.Duration(i) * time.Minute)
	}
	countAt(t, c, noon, ended...)
	c.Age(millis(noon.Add(time.Second)), millis(noon.Add(time.Second)))
	ages, _ := agesOf(c)
	assert.Equal(t, map[string]int64{"0": 1, "1": 1, "late": 18}, ages)
}

// TestAgesExpire checks that an age without events expires alone, frees its series, and begins at zero again.
func TestAgesExpire(t *testing.T) {
	c := New(limits, anything, nil)
	at := func(m int) time.Time { return noon.Add(time.Duration(m) * time.Minute) }
	countAt(t, c, at(0), at(0), at(-3))
	readAll(c, millis(at(1)), 0)
	assert.Equal(t, 1, c.tree.older)
	for m := 1; m < 10; m++ {
		countAt(t, c, at(m), at(m))
		_, _, forgotten := readAll(c, millis(at(m+1)), millis(at(m-4)))
		if m < 5 {
			assert.Zero(t, forgotten)
		}
	}
	assert.Zero(t, c.tree.older)
	ages, _ := agesOf(c)
	assert.Equal(t, map[string]int64{"0": 10}, ages)
	countAt(t, c, at(10), at(7))
	points, _, _ := readAll(c, millis(at(11)), 0)
	for _, p := range points {
		if p.Age.Age() == "3" {
			n, _ := p.N.Integer()
			assert.EqualValues(t, 1, n)
		}
	}
}

// TestAgesThatNoLogKept checks that a crash between the ages of events and the snapshot that has the events, which their log refused,
// neither makes them more nor less than nothing.
func TestAgesThatNoLogKept(t *testing.T) {
	c := New(limits, anything, func(RequestID, int64) {})
	small := &memoryLog{room: 4}
	var snapshot [][]byte
	_, err := c.SwitchLog(small, func(r []byte) error { snapshot = append(snapshot, r); return nil })
	require.NoError(t, err)
	countAt(t, c, noon, noon)
	countAt(t, c, noon, noon) // refused
	next := &memoryLog{room: 100}
	_, err = c.SwitchLog(next, func([]byte) error { return nil }) // its snapshot does not survive
	require.NoError(t, err)
	countAt(t, c, noon, noon.Add(-time.Minute))
	c.Age(millis(noon.Add(time.Second)), millis(noon.Add(time.Second)))
	other := New(limits, anything, func(RequestID, int64) {})
	for _, record := range append(append(snapshot, small.records...), next.records...) {
		require.NoError(t, other.Restore(record, &Restored{Request: func(RequestID, int64) {}}))
	}
	other.Restored()
	ages, waiting := agesOf(other)
	assert.Equal(t, map[string]int64{"0": 2, "1": 1}, ages, "they were counted")
	assert.Zero(t, waiting)
}

// TestClockThatIsBehind checks that a process whose clock is off counts by arrival, and others of its service by the end of their spans.
func TestClockThatIsBehind(t *testing.T) {
	c := New(limits, anything, nil)
	before := map[string]int64{}
	for m := range 8 {
		at := noon.Add(time.Duration(m)*time.Minute + 30*time.Second)
		for _, instance := range []string{"behind", "right"} {
			s := slitest.Span{Service: "s", Name: "x", Duration: time.Second, Ended: at, Resource: map[string]any{"service.instance.id": instance}}
			if instance == "behind" {
				s.Ended = at.Add(-3 * time.Hour)
			} else if m == 7 {
				s.Ended = at.Add(-4 * time.Minute)
			}
			c.Count(slitest.Request(t, slitest.Traces(t, s)), RequestID{}, millis(at))
		}
		at = at.Add(30 * time.Second)
		c.Age(millis(at), millis(at))
		Clocks(c).Judge(millis(at))
		ages, _ := agesOf(c)
		got := map[string]int64{}
		for age, n := range ages {
			if n > before[age] {
				got[age] = n - before[age]
			}
		}
		before = ages
		switch {
		case m < 6: // the first minute is not a whole one
			assert.Equal(t, map[string]int64{"0": 1, "late": 1}, got, "minute %d", m)
		case m == 6:
			assert.Equal(t, map[string]int64{"0": 2}, got, "minute %d", m)
		default:
			assert.Equal(t, map[string]int64{"0": 1, "4": 1}, got, "minute %d", m)
		}
	}
	assert.Equal(t, []slo.ClockOff{{Service: "s", Instance: "behind", Behind: 3 * time.Hour, Since: noon.Add(6 * time.Minute)}}, Clocks(c).Off())
}
