package slo_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
)

const month = 30 * 24 * 60 // minutes

// traffics are events per minute, over a month and an outage of at most two hours after it.
var traffics = map[string]func(minute int) float64{
	"even":                     func(int) float64 { return 1000 },
	"ten times as much lately": func(m int) float64 { return 100 * math.Pow(10, float64(m)/month) },
	"a tenth of it lately":     func(m int) float64 { return 10_000 * math.Pow(0.1, float64(m)/month) },
	"a hundredth by night":     func(m int) float64 { return 3030 - 2970*math.Cos(2*math.Pi*float64(m)/(24*60)) },
	"a tenth in the outage": func(m int) float64 {
		if m < month {
			return 1000
		}
		return 100
	},
}

// history sums the traffic's events up to each minute; during the outage a share of them is bad.
func history(traffic func(int) float64, errorRatio float64) []slo.Events {
	sums := make([]slo.Events, month+121)
	for m := range month + 120 {
		e := slo.Events{Total: uint64(traffic(m))}
		if m >= month {
			e.Bad = uint64(float64(e.Total) * errorRatio)
		}
		sums[m+1] = sums[m].Add(e)
	}
	return sums
}

// An outage that pages by the SRE Workbook's rules, which use burn rates only, pages in the same minute here, whether traffic is
// even, grows, shrinks, pauses at night or falls because of the outage.
func TestOutagePagesWhateverTheTraffic(t *testing.T) {
	for name, traffic := range traffics {
		for _, target := range []float64{0.99, 0.999, 0.9999} {
			for _, errorRatio := range []float64{1, 0.5, 0.2} {
				t.Run(fmt.Sprintf("%s, %v, %v", name, target, errorRatio), func(t *testing.T) {
					o := threeNines()
					o.Target = target
					sums := history(traffic, errorRatio)
					paged := false
					for minute := month + 1; minute < len(sums); minute++ {
						window := func(d time.Duration) slo.Events {
							from := sums[max(minute-int(d/time.Minute), 0)]
							return slo.Events{Total: sums[minute].Total - from.Total, Bad: sums[minute].Bad - from.Bad}
						}
						for _, tier := range o.Tiers[:2] {
							long, short := window(tier.LongWindow), window(tier.ShortWindow)
							workbook := o.Burning(tier, long) && o.Burning(tier, short)
							require.Equal(t, workbook, o.Active(tier, long, short, window(o.Window)), "minute %d, %v", minute-month, tier)
							paged = paged || workbook
						}
					}
					require.True(t, paged)
				})
			}
		}
	}
}

// Low traffic delays a page by at most ten bad events.
func TestLowTrafficDelaysPages(t *testing.T) {
	o := threeNines()
	page := o.Tiers[0]
	whole := slo.Events{Total: 100_000_000} // of which 2 % of the budget are 2,000
	for bad := range uint64(20) {
		quiet := slo.Events{Total: 100, Bad: bad}
		require.Equal(t, bad >= 10, o.Active(page, quiet, quiet, whole), "%d of 100", bad)
	}
	o.MinBadEvents = 15
	for bad := range uint64(20) {
		quiet := slo.Events{Total: 100, Bad: bad}
		require.Equal(t, bad >= 15, o.Active(page, quiet, quiet, whole), "%d of 100, of which 15 are wanted", bad)
	}
	require.False(t, o.Active(page, slo.Events{Total: 10_000, Bad: 20}, slo.Events{Total: 10, Bad: 10}, whole), "its burn rate is 2")
}
