package tsdb

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/tsdb/internal/metadata"
	"github.com/slowburn/slowburn/slo/tsdb/internal/promlog"
)

// TestSlothsBudgetOfAnOutageAtNight computes a budget of 30 days as Sloth's recording rules do, by the mean of ratios over five minutes, and
// as slowburn does, by the ratio of sums, in Prometheus' own engine: 1 request/s by night, 100 by day, and an hour in which all
// fail in the last night. The mean says that 137.7 % of the budget are spent, where it is 2.75 %.
func TestSlothsBudgetOfAnOutageAtNight(t *testing.T) {
	const night, day, half, days = 60, 6000, 12 * 60, 30 // requests a minute; minutes; days
	var total strings.Builder
	sum := 0
	for range days {
		for _, rate := range []int{day, night} { // the window ends with a night
			_, _ = fmt.Fprintf(&total, " %d+%dx%d", sum+rate, rate, half-1)
			sum += rate * half
		}
	}
	const end = days * 2 * half
	const before, outage = end - 3*60, 60 // the outage begins three hours before the end
	bad := fmt.Sprintf("0x%d %d+%dx%d %dx%d", before, night, night, outage-1, night*outage, end-before-outage-1)

	o := slo.Objective{Name: "o", Target: 0.999, Window: days * 24 * time.Hour}
	spent := 1 - o.Budget(slo.Events{Total: uint64(sum), Bad: night * outage}).Remaining
	assert.InDelta(t, 0.0275, spent, 0.0001)

	const ratio = `sum(rate(bad[5m])) / sum(rate(total[5m]))`
	script := fmt.Sprintf(`load 1m
  total 0 %s
  bad %s

# Sloth: slo:error_budget_remaining:ratio of slo:sli_error:ratio_rate30d
eval instant at %[3]dm round((sum_over_time((%[4]s)[30d:1m]) / count_over_time((%[4]s)[30d:1m])) / (1 - 0.999), 0.001)
  {} 1.377

# the truth
eval instant at %[3]dm round(increase(bad[30d]) / scalar(increase(total[30d])) / (1 - 0.999), 0.0001)
  {} 0.0275
`, strings.TrimSpace(total.String()), bad, end, ratio)
	telemetry, err := metadata.NewTelemetryBuilder(componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	promqltest.RunTest(t, script, newEngine(testConfig(t), 50_000_000, nil, promlog.New(zap.NewNop()), telemetry))
}

// TestPyrrasWindowsOfADay: Pyrra scales the windows of 28 days to an objective's, and rounds them to minutes: at a day its shortest is 0, so
// that its most urgent tier has no rate. slowburn's tiers keep their windows, and each is valid.
func TestPyrrasWindowsOfADay(t *testing.T) {
	const day = 24 * time.Hour
	short := func(window time.Duration) time.Duration { return (window / (28 * 24 * (60 / 5))).Round(time.Minute) } // pyrra: slo.Windows
	assert.Equal(t, 5*time.Minute, short(28*day))
	assert.Zero(t, short(day))

	o := slo.Objective{Name: "o", Target: 0.999, Window: day, Indicator: slo.Indicator{Type: slo.Availability}, Tiers: slo.TiersFor(day)}
	require.NoError(t, o.Validate())
	for _, tier := range o.Tiers {
		assert.GreaterOrEqual(t, tier.ShortWindow, 5*time.Minute)
		burning := slo.Events{Total: 1000, Bad: 1000}
		assert.True(t, o.Active(tier, burning, burning, burning))
	}
}
