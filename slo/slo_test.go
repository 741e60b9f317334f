package slo_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
)

const day = 24 * time.Hour

// threeNines is a valid objective of 99.9 % over 30 days with the default tiers.
func threeNines() slo.Objective {
	return slo.Objective{
		Name: "checkout-availability", Target: 0.999, Window: 30 * day,
		Indicator: slo.Indicator{Type: slo.Availability}, Tiers: slo.DefaultTiers(), MinBadEvents: 1,
	}
}

func TestFactors(t *testing.T) {
	for _, c := range []struct {
		window  time.Duration
		factors []float64
	}{
		{30 * day, []float64{14.4, 6, 3, 1}},
		{28 * day, []float64{13.44, 5.6, 2.8, 0.933333333333}},
		{7 * day, []float64{3.36, 1.4, 0.7, 0.233333333333}},
		{90 * day, []float64{43.2, 18, 9, 3}},
		{day, []float64{0.48, 0.2, 0.1}},
		{2 * time.Hour, []float64{0.04}},
	} {
		o := threeNines()
		o.Window, o.Tiers = c.window, slo.TiersFor(c.window)
		require.Len(t, o.Tiers, len(c.factors), slo.FormatDuration(c.window))
		for i, tier := range o.Tiers {
			assert.Equal(t, c.factors[i], o.Factor(tier), "window %s, tier %d", slo.FormatDuration(c.window), i)
			assert.InDelta(t, tier.Share, slo.ShareOf(o.Factor(tier), tier.LongWindow, o.Window), 1e-9)
		}
	}
}

func TestReachable(t *testing.T) {
	// The targets at which the default factors become unreachable are 1 − 1/factor.
	for _, c := range []struct {
		target    float64
		reachable []bool
	}{
		{0.999, []bool{true, true, true, true}},
		{0.9306, []bool{true, true, true, true}},
		{0.9305, []bool{false, true, true, true}},
		{0.834, []bool{false, true, true, true}},
		{0.833, []bool{false, false, true, true}},
		{2.0 / 3, []bool{false, false, false, true}},
		{0.01, []bool{false, false, false, true}},
	} {
		o := threeNines()
		o.Target = c.target
		for i, tier := range o.Tiers {
			assert.Equal(t, c.reachable[i], o.Reachable(tier), "target %v, tier %d", c.target, i)
		}
		require.NoError(t, o.Validate())
		warned := 0
		for _, r := range c.reachable {
			if !r {
				warned++
			}
		}
		assert.Len(t, o.Warnings(), warned)
	}
}

// A tier that is reachable fires in a full outage; one that is not does not.
func TestReachableMeansActiveInAnOutage(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		o := threeNines()
		o.Target = rnd.Float64()
		o.Window = time.Duration(1+rnd.IntN(90)) * day
		outage := slo.Events{Total: 1000, Bad: 1000}
		for _, tier := range o.Tiers {
			active := o.Active(tier, outage, outage, outage)
			if o.Reachable(tier) {
				assert.True(t, active, "%v %v", o, tier)
			} else if factor := o.Factor(tier) * o.ErrorBudget(); factor > 1+1e-6 {
				assert.False(t, active, "%v %v", o, tier)
			}
		}
	}
}

func TestBurnRate(t *testing.T) {
	o := threeNines()
	for _, c := range []struct {
		e    slo.Events
		want float64
		ok   bool
	}{
		{slo.Events{}, 0, false},
		{slo.Events{Total: 1000}, 0, true},
		{slo.Events{Total: 1000, Bad: 1}, 1, true},
		{slo.Events{Total: 10000, Bad: 144}, 14.4, true},
		{slo.Events{Total: 25431, Bad: 412}, 16.2007, true},
		{slo.Events{Total: 5, Bad: 5}, 1000, true},
	} {
		got, ok := o.BurnRate(c.e)
		assert.Equal(t, c.ok, ok)
		assert.InDelta(t, c.want, got, 1e-4)
	}
}

// A burn rate equal to the factor fires, whatever the rounding of binary fractions.
func TestActiveAtExactlyTheFactor(t *testing.T) {
	for _, target := range []float64{0.9, 0.99, 0.995, 0.999, 0.9995, 0.9999} {
		o := threeNines()
		o.Target = target
		for _, tier := range o.Tiers {
			if !o.Reachable(tier) {
				continue
			}
			bad := uint64(math.Round(o.Factor(tier) * o.ErrorBudget() * 1e7))
			at := slo.Events{Total: 1e7, Bad: bad}
			below := slo.Events{Total: 1e7, Bad: bad - 1}
			assert.True(t, o.Active(tier, at, at, at), "%v %v", target, tier)
			assert.False(t, o.Active(tier, below, at, at), "long window below, %v %v", target, tier)
			assert.False(t, o.Active(tier, at, below, at), "short window below, %v %v", target, tier)
		}
	}
}

func TestLowTraffic(t *testing.T) {
	o := threeNines()
	page := o.Tiers[0]
	one := slo.Events{Total: 10, Bad: 1}
	assert.True(t, o.Burning(page, one), "by the ratio alone, one error in ten burns at 100")

	// 30 days at 1,000 an hour: 2 % of the budget are 14.4 bad events.
	month := slo.Events{Total: 720_000, Bad: 1}
	assert.False(t, o.Active(page, one, one, month), "1 bad event is not worth 2 % of the budget")
	fifteen := slo.Events{Total: 20, Bad: 15}
	assert.True(t, o.Active(page, fifteen, fifteen, month))

	assert.True(t, o.Active(page, one, one, one), "a young objective has no traffic to compare with")
	o.MinBadEvents = 2
	assert.False(t, o.Active(page, one, one, one))
	o.MinBadEvents = 0
	assert.False(t, o.Active(page, slo.Events{Total: 9}, slo.Events{Total: 9}, month), "never without a bad event")
}

func TestBudget(t *testing.T) {
	o := threeNines()
	b := o.Budget(slo.Events{})
	assert.Equal(t, slo.Budget{Remaining: 1, RemainingLow: 1, Total: 43*time.Minute + 12*time.Second,
		RemainingTime: 43*time.Minute + 12*time.Second, Policy: slo.Normal}, b)

	b = o.Budget(slo.Events{Total: 1_000_000, Bad: 387})
	assert.Equal(t, 0.613, b.Remaining)
	assert.InDelta(t, 1000, b.AllowedEvents, 1e-9)
	assert.InDelta(t, 613, b.RemainingEvents, 1e-9)
	assert.InDelta(t, 26.4816, b.RemainingTime.Minutes(), 1e-4)

	b = o.Budget(slo.Events{Total: 1000, Bad: 5})
	assert.Equal(t, -4.0, b.Remaining)
	assert.Equal(t, slo.Exhausted, b.Policy)
	assert.Equal(t, slo.Exhausted, o.Budget(slo.Events{Total: 1000, Bad: 1}).Policy, "exactly spent")
}

func TestPolicy(t *testing.T) {
	for remaining, want := range map[float64]slo.PolicyLevel{
		1: slo.Normal, 0.51: slo.Normal, 0.5: slo.Cautious, 0.1: slo.Cautious, 0.0999: slo.Freeze,
		0.0001: slo.Freeze, 0: slo.Exhausted, -3: slo.Exhausted,
	} {
		assert.Equal(t, want, slo.Policy(remaining), "%v", remaining)
	}
}

func TestTimeToExhaustion(t *testing.T) {
	o := threeNines()
	d, ok := o.TimeToExhaustion(0.613, 16.2)
	assert.True(t, ok)
	assert.InDelta(t, 27.24, d.Hours(), 0.01)
	d, ok = o.TimeToExhaustion(1, 1)
	assert.True(t, ok)
	assert.Equal(t, 30*day, d)
	d, ok = o.TimeToExhaustion(-1, 2)
	assert.True(t, ok)
	assert.Zero(t, d)
	for _, rate := range []float64{0, 1e-12} {
		_, ok = o.TimeToExhaustion(1, rate)
		assert.False(t, ok, "burn rate %v", rate)
	}
}

// Burning at the factor for the long window spends exactly the tier's share of the budget.
func TestFactorSpendsTheShare(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		o := threeNines()
		o.Window = time.Duration(1+rnd.IntN(365)) * day
		perMinute := uint64(1e6)
		for _, tier := range slo.TiersFor(o.Window) {
			minutes := uint64(tier.LongWindow / time.Minute)
			bad := o.Factor(tier) * o.ErrorBudget() * float64(perMinute*minutes)
			whole := slo.Events{Total: perMinute * uint64(o.Window/time.Minute), Bad: uint64(bad)}
			assert.InDelta(t, 1-tier.Share, o.Budget(whole).Remaining, 1e-6)
		}
	}
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*slo.Objective)
		want string
	}{
		"good":            {func(*slo.Objective) {}, ""},
		"no name":         {func(o *slo.Objective) { o.Name = "" }, "name: "},
		"bad name":        {func(o *slo.Objective) { o.Name = "a b" }, `name: "a b"`},
		"target 100":      {func(o *slo.Objective) { o.Target = 1 }, "target: 100 %"},
		"target 0":        {func(o *slo.Objective) { o.Target = 0 }, "target: 0 %"},
		"target NaN":      {func(o *slo.Objective) { o.Target = math.NaN() }, "target: "},
		"target too near": {func(o *slo.Objective) { o.Target = 1 - 1e-11 }, "target: "},
		"short window":    {func(o *slo.Objective) { o.Window = time.Minute }, "window: 1m is not"},
		"odd window":      {func(o *slo.Objective) { o.Window = 24*time.Hour + time.Second }, "window: 1d1s is not"},
		"no indicator":    {func(o *slo.Objective) { o.Indicator = slo.Indicator{} }, "exactly one of"},
		"no threshold":    {func(o *slo.Objective) { o.Indicator.Type = slo.Latency }, "latency::threshold"},
		"bad kind":        {func(o *slo.Objective) { o.Indicator.Spans.Kind = "srv" }, `availability::kind: "srv"`},
		"no query":        {func(o *slo.Objective) { o.Indicator = slo.Indicator{Type: slo.PromQL, BadQuery: "x"} }, "promql: lacks"},
		"label": {func(o *slo.Objective) { o.Labels = map[string]string{"team": "x", "severity": "p1"} },
			`labels: "severity" is a label of every alert already`},
		"resolution": {func(o *slo.Objective) {
			o.Indicator = slo.Indicator{Type: slo.PromQL, BadQuery: "x", TotalQuery: "y", Resolution: 90 * time.Minute}
		}, "promql::resolution: 1h30m is not"},
		"severity":      {func(o *slo.Objective) { o.Tiers[1].Severity = "warn" }, `tiers[1]: severity: "warn"`},
		"short ≥ long":  {func(o *slo.Objective) { o.Tiers[1].ShortWindow = 6 * time.Hour }, "tiers[1]: long_window: 6h is not"},
		"short 30s":     {func(o *slo.Objective) { o.Tiers[1].ShortWindow = 30 * time.Second }, "tiers[1]: short_window: 30s"},
		"share":         {func(o *slo.Objective) { o.Tiers[0].Share = 1.2 }, "tiers[0]: budget: 120 %"},
		"tier too long": {func(o *slo.Objective) { o.Window = 2 * day }, "tiers[3]::long_window: 3d is longer"},
		"unreachable": {func(o *slo.Objective) { o.Target, o.Tiers = 0.9, o.Tiers[:1] },
			"tiers: none can ever fire, as at a target of 90 % the burn rate cannot pass 10"},
		"keep firing": {func(o *slo.Objective) { o.KeepFiringFor = -time.Second }, "keep_firing_for"},
	} {
		t.Run(name, func(t *testing.T) {
			o := threeNines()
			c.edit(&o)
			if c.want == "" {
				require.NoError(t, o.Validate())
				require.Empty(t, o.Warnings())
				return
			}
			require.ErrorContains(t, o.Validate(), c.want)
		})
	}
}

func TestWarnings(t *testing.T) {
	o := threeNines()
	o.Target, o.Window = 0.9, 7*day
	assert.Equal(t, []string{
		"tiers[2] (ticket on 1d and 2h) fires while the budget would still last: its factor is 0.7, and 1 spends exactly the budget of 7d",
		"tiers[3] (ticket on 3d and 6h) fires while the budget would still last: its factor is 0.2333, and 1 spends exactly the budget of 7d",
	}, o.Warnings())
	o.Target, o.Window = 0.999, 28*day
	assert.Empty(t, o.Warnings(), "four weeks are as good as a month")
	o.Target, o.Window = 0.9, 30*day
	assert.Equal(t, []string{"tiers[0] (page on 1h and 5m) can never fire: its factor is 14.4, " +
		"but at a target of 90 % the burn rate cannot pass 10"}, o.Warnings())
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "30d": 30 * day, "28d": 28 * day, "365d": 365 * day,
		"3d": 3 * day, "1d": day, "300ms": 300 * time.Millisecond, "1s500ms": 1500 * time.Millisecond, "0s": 0,
	} {
		var d slo.Duration
		require.NoError(t, d.UnmarshalText([]byte(text)))
		assert.Equal(t, want, time.Duration(d))
		back, err := d.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, text, string(back))
	}
	assert.Equal(t, "-1h", slo.FormatDuration(-time.Hour))
	var d slo.Duration
	require.NoError(t, d.UnmarshalText([]byte("4w")))
	assert.Equal(t, "28d", d.String())
	assert.ErrorContains(t, d.UnmarshalText([]byte("30 days")), `"30 days" is no duration: write it like`)
}

func TestEvents(t *testing.T) {
	assert.Equal(t, slo.Events{Total: 3, Bad: 1}, slo.Events{Total: 1}.Add(slo.Events{Total: 2, Bad: 1}))
	_, ok := slo.Events{}.ErrorRatio()
	assert.False(t, ok)
}
