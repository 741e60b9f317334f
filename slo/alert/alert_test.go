package alert_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/match"
)

var (
	t0   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	both = []slo.Severity{slo.Page, slo.Ticket}

	routes = []alert.Route{
		{Receiver: "all", Severities: both, SendResolved: true},
		{Receiver: "pager", Severities: []slo.Severity{slo.Page}, SendResolved: true},
		{Receiver: "desk", Severities: []slo.Severity{slo.Ticket}, SendResolved: true},
		{Receiver: "mute", Severities: both},
	}
)

func objective() slo.Objective {
	return slo.Objective{
		Name: "checkout-availability", Service: "checkout", Description: "People can pay.",
		Labels: map[string]string{"team": "shop"}, Target: 0.999, Window: 30 * 24 * time.Hour,
		Indicator: slo.Indicator{Type: slo.Availability}, MinBadEvents: 1,
		Tiers: []slo.Tier{
			{Severity: slo.Page, LongWindow: time.Hour, ShortWindow: 5 * time.Minute, Share: 0.02},
			{Severity: slo.Ticket, LongWindow: 24 * time.Hour, ShortWindow: 2 * time.Hour, Share: 0.1},
		},
	}
}

// assessment is a minute's assessment by the word that testdata/steps.txt uses for it.
func assessment(o slo.Objective, at time.Time, word string) alert.Assessment {
	burning, calm := slo.Events{Total: 1000, Bad: 500}, slo.Events{Total: 1000}
	return alert.Assess(o, at, func(w time.Duration) slo.Events {
		switch {
		case strings.Contains(word, "page") && w <= time.Hour,
			strings.Contains(word, "ticket") && (w == 24*time.Hour || w == 2*time.Hour),
			word == "long" && w == time.Hour, word == "short" && w == 5*time.Minute:
			return burning
		}
		return calm
	})
}

func TestSteps(t *testing.T) {
	content, err := os.ReadFile("testdata/steps.txt")
	require.NoError(t, err)
	for _, text := range strings.Split(string(content), "\ncase ")[1:] {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		t.Run(lines[0], func(t *testing.T) { runSteps(t, lines[1:]) })
	}
}

func runSteps(t *testing.T, lines []string) {
	o := objective()
	var a alert.Alert
	at := t0
	for _, line := range lines {
		if d, ok := strings.CutPrefix(line, "keep "); ok {
			var err error
			o.KeepFiringFor, err = time.ParseDuration(d)
			require.NoError(t, err)
			continue
		}
		if r, ok := strings.CutPrefix(line, "receivers "); ok {
			o.Receivers = strings.Fields(r)
			continue
		}
		word, rest, ok := strings.Cut(line, "→")
		require.True(t, ok, line)
		state, told, _ := strings.Cut(rest, "|")

		a = reload(t, a)
		transition := a.Step(assessment(o, at, strings.TrimSpace(word)), "http://x/o")
		notices := a.Notices(routes, o.Receivers)

		got := []string{string(a.State)}
		if a.State == alert.Firing {
			got = append(got, string(a.Severity))
		}
		if transition != alert.None {
			got = append(got, string(transition))
		}
		assert.Equal(t, strings.Fields(state), got, line)
		var kinds []string
		for _, n := range notices {
			kinds = append(kinds, n.Receiver+":"+string(n.Kind))
		}
		assert.Equal(t, strings.Fields(told), append([]string{}, kinds...), line)
		assert.Empty(t, a.Notices(routes, o.Receivers), "told twice: %s", line)
		at = at.Add(time.Minute)
	}
}

// reload encodes and decodes an alert, as a restart between two minutes does.
func reload(t *testing.T, a alert.Alert) (b alert.Alert) {
	body, err := json.Marshal(a)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(body, &b))
	return b
}

func TestEpisodes(t *testing.T) {
	o := objective()
	var a alert.Alert
	step := func(minute int, word string) alert.Alert {
		a.Step(assessment(o, t0.Add(time.Duration(minute)*time.Minute), word), "")
		return a
	}
	pending := step(0, "short")
	firing := step(1, "page")
	assert.Equal(t, pending.ID, firing.ID, "an episode begins when it is pending")
	assert.Equal(t, t0.Add(time.Minute), firing.StartsAt)
	assert.True(t, firing.EndsAt.IsZero())
	assert.Equal(t, firing.StartsAt, step(2, "page").Since)

	resolved := step(3, "-")
	assert.Equal(t, firing.ID, resolved.ID)
	assert.Equal(t, t0.Add(3*time.Minute), resolved.EndsAt)
	assert.Equal(t, resolved.Summary, step(4, "-").Summary, "what was said stands")
	assert.Equal(t, alert.Resolved, step(62, "-").State)
	assert.Equal(t, alert.Inactive, step(63, "-").State, "after an hour")

	again := step(100, "page")
	assert.NotEqual(t, firing.ID, again.ID)
	assert.Equal(t, alert.Fingerprint(o.Name), strings.Split(again.ID, "-")[0])
}

func TestSeqRisesWithEveryNotice(t *testing.T) {
	o := objective()
	var a alert.Alert
	seen := []uint64{}
	for i, word := range []string{"-", "ticket", "ticket", "page", "ticket", "page", "-", "-", "page"} {
		a.Step(assessment(o, t0.Add(time.Duration(i)*time.Minute), word), "")
		if len(a.Notices(routes, nil)) > 0 {
			seen = append(seen, a.Seq)
		}
	}
	assert.Equal(t, []uint64{1, 2, 3, 4, 5, 6}, seen)
}

// A receiver that is added while an alert fires is notified of it; one that the objective no longer names is notified of the end.
func TestRoutesChangeWhileFiring(t *testing.T) {
	o := objective()
	var a alert.Alert
	a.Step(assessment(o, t0, "page"), "")
	assert.Equal(t, []alert.Notice{{Receiver: "all", Kind: alert.Fired, Severity: slo.Page}}, a.Notices(routes[:1], nil))
	a.Step(assessment(o, t0.Add(time.Minute), "page"), "")
	assert.Equal(t, []alert.Notice{{Receiver: "pager", Kind: alert.Fired, Severity: slo.Page}}, a.Notices(routes[:2], nil))
	assert.Equal(t, []alert.Notice{{Receiver: "pager", Kind: alert.Ended, Severity: slo.Page}}, a.Notices(routes[:2], []string{"all"}))
	assert.Equal(t, []alert.Notice{{Receiver: "pager", Kind: alert.Fired, Severity: slo.Page}}, a.Notices(routes[:2], []string{"all", "pager"}))
	assert.Equal(t, uint64(4), a.Seq, "so that every one has a key of its own")
}

// A receiver that is removed while an alert fires and added after its end is notified of the next alert: its old state is dropped.
func TestReceiverComesBack(t *testing.T) {
	o := objective()
	fired := []alert.Notice{{Receiver: "all", Kind: alert.Fired, Severity: slo.Page}}
	for name, words := range map[string][]string{
		"within the same episode": {"page", "page", "page"},
		"in the next episode":     {"page", "-", "page"},
	} {
		t.Run(name, func(t *testing.T) {
			var a alert.Alert
			a.Step(assessment(o, t0, words[0]), "")
			assert.Equal(t, fired, a.Notices(routes[:1], nil))
			a.Step(assessment(o, t0.Add(time.Minute), words[1]), "")
			assert.Empty(t, a.Notices(nil, nil))
			a.Step(assessment(o, t0.Add(2*time.Minute), words[2]), "")
			assert.Equal(t, fired, a.Notices(routes[:1], nil))
			assert.Equal(t, uint64(2), a.Seq, "under a key of its own")
		})
	}
}

func TestClose(t *testing.T) {
	o := objective()
	var a alert.Alert
	assert.False(t, a.Close(t0))
	a.Step(assessment(o, t0, "page"), "")
	a.Notices(routes[:1], nil)
	assert.True(t, a.Close(t0.Add(time.Minute)))
	assert.Equal(t, alert.Resolved, a.State)
	assert.Contains(t, a.Annotations["summary"], "no longer configured")
	assert.Equal(t, []alert.Notice{{Receiver: "all", Kind: alert.Ended, Severity: slo.Page}}, a.Notices(routes[:1], nil))
}

func TestUnreachableTierNeverFires(t *testing.T) {
	o := objective()
	o.Target = 0.9
	o.Tiers[1].Share = 0.9 // a factor of 27
	outage := slo.Events{Total: 1000, Bad: 1000}
	as := alert.Assess(o, t0, func(time.Duration) slo.Events { return outage })
	for _, tier := range as.Tiers {
		assert.False(t, tier.Reachable)
		assert.False(t, tier.Active)
	}
	var a alert.Alert
	a.Step(as, "")
	assert.Equal(t, alert.Inactive, a.State)
}

func TestTexts(t *testing.T) {
	o := objective()
	events := map[time.Duration]slo.Events{
		5 * time.Minute: {Total: 2000, Bad: 34}, time.Hour: {Total: 25431, Bad: 412},
		2 * time.Hour: {Total: 50000, Bad: 412}, 24 * time.Hour: {Total: 500_000, Bad: 1000},
		o.Window: {Total: 1_064_600, Bad: 412},
	}
	var a alert.Alert
	a.Step(alert.Assess(o, t0, func(w time.Duration) slo.Events { return events[w] }), "http://x/objectives/checkout-availability")
	assert.Equal(t, "Page: checkout-availability burns its 30d error budget 16.2 times too fast (1h: 16.2, 5m: 17.0; factor 14.4): "+
		"61.3 % left, exhausted in 27h, at 2026-03-02 15:14 UTC. 412 of 25,431 requests failed in the last hour.", a.Summary)
	assert.Equal(t, map[string]string{"alertname": "ErrorBudgetBurn", "objective": o.Name, "service": "checkout",
		"severity": "page", "team": "shop"}, a.Labels)
	assert.Equal(t, map[string]string{"summary": a.Summary, "description": "People can pay.", "severity": "page",
		"dashboard": "http://x/objectives/checkout-availability"}, a.Annotations)

	events = map[time.Duration]slo.Events{o.Window: {Total: 1000, Bad: 500}}
	a.Step(alert.Assess(o, t0.Add(35*time.Minute), func(w time.Duration) slo.Events { return events[w] }), "")
	assert.Equal(t, "Resolved: checkout-availability no longer burns its 30d error budget too fast: "+
		"the budget is spent 500 times over. It fired for 35m.", a.Summary)
}

func TestSentenceOfOtherIndicators(t *testing.T) {
	o := objective()
	o.Window, o.Tiers = 7*24*time.Hour, slo.TiersFor(7*24*time.Hour)
	o.Indicator = slo.Indicator{Type: slo.Latency, Threshold: 300 * time.Millisecond}
	e := slo.Events{Total: 1_000_000, Bad: 400}
	as := alert.Assess(o, t0, func(time.Duration) slo.Events { return e })
	assert.Equal(t, "checkout-availability burns its 7d error budget at 0.4 times the pace that spends it exactly "+
		"(3d: 0.4, 6h: 0.4; factor 0.23): 60.0 % left, exhausted in 11d, at 2026-03-12 00:00 UTC. "+
		"400 of 1,000,000 requests took longer than 300ms in the last 3d.", alert.Sentence(&as, &as.Tiers[3]))
	for words, in := range map[string]slo.Indicator{
		"requests were bad":                           {Type: slo.Availability, Bad: match.Failed()},
		"requests took longer than 300ms or were bad": {Type: slo.Latency, Threshold: 300 * time.Millisecond, Bad: match.Failed()},
	} {
		as.Objective.Indicator = in
		assert.Contains(t, alert.Sentence(&as, &as.Tiers[3]), words+" in the last 3d")
	}
	o.Indicator = slo.Indicator{Type: slo.PromQL}
	e = slo.Events{Total: 10, Bad: 10}
	as = alert.Assess(o, t0, func(time.Duration) slo.Events { return e })
	assert.Contains(t, alert.Sentence(&as, &as.Tiers[0]), "1000 times too fast")
	assert.True(t, strings.HasSuffix(alert.Sentence(&as, &as.Tiers[0]), "the budget is spent 1000 times over. 10 of 10 events were bad in the last hour."))
}

// A summary begins with the urgency, and describes the budget briefly.
func TestSummaries(t *testing.T) {
	o := objective()
	for word, want := range map[string]string{
		"page": "Page: checkout-availability burns", "ticket": "Ticket: checkout-availability burns",
		"short": "Page pending: checkout-availability burns",
	} {
		var a alert.Alert
		a.Step(assessment(o, t0, word), "")
		assert.True(t, strings.HasPrefix(a.Summary, want), a.Summary)
	}
	for bad, want := range map[uint64]string{
		0: "keeps within its 30d error budget: 100.0 % left.", 10: "keeps within its 30d error budget: 0.0 % left.",
		20: "the budget is overspent by 100.0 %.", 100: "the budget is overspent by 900.0 %.", 2770: "the budget is spent 277 times over.",
	} {
		var a alert.Alert
		a.Step(alert.Assess(o, t0, func(w time.Duration) slo.Events {
			if w == o.Window {
				return slo.Events{Total: 10_000, Bad: bad}
			}
			return slo.Events{}
		}), "")
		assert.Contains(t, a.Summary, want)
	}
	var a alert.Alert
	a.Step(alert.Assess(o, t0, func(time.Duration) slo.Events { return slo.Events{} }), "")
	assert.Equal(t, "checkout-availability has no events yet.", a.Summary)
}

func TestFingerprint(t *testing.T) {
	a, b := alert.Fingerprint("a"), alert.Fingerprint("b")
	assert.Len(t, a, 16)
	assert.NotEqual(t, a, b)
	assert.True(t, slices.Equal([]byte(a), []byte(alert.Fingerprint("a"))))
}
