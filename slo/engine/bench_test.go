package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger/parts"
)

// BenchmarkMinute evaluates one minute of 2,000 objectives, each with ten series, all of them burning.
func BenchmarkMinute(b *testing.B) {
	c := parse(b, `objectives: []`)
	db := newFakeTSDB()
	const objectives = 2000
	one := parse(b, `objectives: [{name: x, target: 99, availability: {}}]`).Objectives[0]
	for i := range objectives {
		one.Name = fmt.Sprint("o", i)
		c.Objectives = append(c.Objectives, one)
	}
	e := openAt(b, c, db, noon)
	defer closeIt(b, e)
	now, value := noon, 0.0
	for b.Loop() {
		b.StopTimer()
		value += 10
		for _, s := range db.series {
			s.Values = s.Values[max(len(s.Values)-6, 0):]
		}
		for i := range objectives {
			for j := range 5 {
				for _, metric := range []string{samples.TotalMetric, samples.BadMetric} {
					db.sample(metric, c.Objectives[i].Name, fmt.Sprint(j), now.Add(30*time.Second), value)
				}
			}
		}
		b.StartTimer()
		now = now.Add(time.Minute)
		require.NoError(b, e.evaluator.evaluate(b.Context(), believed(now.Add(c.Lateness), true, true)))
	}
}

// BenchmarkMinuteByPart evaluates one minute of 1,000 objectives, each with 16 series: two versions with four operations, all and bad
// events. It includes the query of a database that has the samples ready.
func BenchmarkMinuteByPart(b *testing.B) {
	c := parse(b, `objectives: []`)
	db := newFakeTSDB()
	const objectives = 1000
	one := parse(b, `objectives: [{name: x, target: 99, availability: {}}]`).Objectives[0]
	for i := range objectives {
		one.Name = fmt.Sprint("o", i)
		c.Objectives = append(c.Objectives, one)
	}
	e := openAt(b, c, db, noon)
	defer closeIt(b, e)
	now, value := noon, 0.0
	for b.Loop() {
		b.StopTimer()
		value += 10
		for _, s := range db.series {
			s.Values = s.Values[max(len(s.Values)-6, 0):]
		}
		for i := range objectives {
			for j := range 8 {
				p := parts.Part{Service: "checkout", Operation: fmt.Sprint("POST /", j%4), Version: fmt.Sprint("1.9.", j/4)}
				db.sampleOf(c.Objectives[i].Name, p, now.Add(30*time.Second), 20*value+float64(i%7))
				p.Reason = "503"
				db.sampleOf(c.Objectives[i].Name, p, now.Add(30*time.Second), value/10)
			}
		}
		b.StartTimer()
		now = now.Add(time.Minute)
		require.NoError(b, e.evaluator.evaluate(b.Context(), believed(now.Add(c.Lateness), true, true)))
	}
}
