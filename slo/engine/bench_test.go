package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo/engine/internal/samples"
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
