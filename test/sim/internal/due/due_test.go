package due

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// traffic is an objective of 99 % with numbers of good and bad events in each minute from 1000 on.
func traffic(minutes ...[2]int) *History {
	h := &History{Target: 0.99, First: 1000, Measured: map[Minute]bool{}}
	h.End = h.First
	h.then(minutes...)
	return h
}

func (h *History) then(minutes ...[2]int) {
	for _, m := range minutes {
		h.Events = append(h.Events, Events{From: h.End, To: h.End, Good: m[0], Bad: m[1], Sure: true})
		h.Measured[h.End] = true
		h.End++
	}
}

func many(n, good, bad int) (list [][2]int) {
	for range n {
		list = append(list, [2]int{good, bad})
	}
	return list
}

func fires(at Minute, s Severity) Notice {
	return Notice{Firing: true, Severity: s, StartsAt: at.Start()}
}

func resolves(from, at Minute) Notice {
	return Notice{Severity: Page, StartsAt: from.Start(), EndsAt: at.Start()}
}

// changes returns the minutes at which the certainly due severity changes.
func (h *History) changes(t *testing.T) map[Minute]Severity {
	was, list := Nothing, map[Minute]Severity{}
	for i, l := range h.levels() {
		require.Equal(t, l.least, l.most, "all is known, at %d", i)
		if l.least != was {
			was = l.least
			list[Minute(i)] = was
		}
	}
	return list
}

// When alerts are due, worked out by hand from the rule of the tiers.
func TestWhatIsDue(t *testing.T) {
	for name, tc := range map[string]struct {
		h    *History
		want map[Minute]Severity
	}{
		"all is well": {traffic(many(200, 10, 0)...), map[Minute]Severity{}},
		// Each window burns at 100 from the first minute on, and a tenth of an hour is covered after the sixth.
		"it begins with an outage": {traffic(many(8, 0, 10)...), map[Minute]Severity{6: Page}},
		// 60 minutes of 10 events: 14.4 % of the last hour are 86.4 events, reached by nine bad minutes. 6 % of six hours, of
		// which 160 minutes were measured, are 96 events: ten minutes.
		"an outage after two hours": {traffic(append(many(150, 10, 0), many(12, 0, 10)...)...), map[Minute]Severity{
			// The ticket of a day and two hours needs 3 % of 155 minutes, and of the last 120: five minutes. That of three days would
			// need two, but less than a tenth of its days is covered.
			155: Ticket, 159: Page,
		}},
		// Two bad events of 100 are 2 %: above 1, and so above the factor of the last tier only. A tenth of its days are 432 minutes.
		"a slow burn": {traffic(many(440, 98, 2)...), map[Minute]Severity{432: Ticket}},
		// 1 % of errors is the allowed rate: a burn rate of 1, which is the factor of the last tier.
		"just at the factor":    {traffic(many(440, 99, 1)...), map[Minute]Severity{432: Ticket}},
		"just below the factor": {traffic(many(440, 100, 1)...), map[Minute]Severity{}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, tc.h.changes(t)) })
	}
}

// An alert ends when the short window contains none of its cause, and continues while nothing is measured.
func TestWhenItIsOver(t *testing.T) {
	h := traffic(many(8, 0, 10)...)
	h.then(many(400, 10, 0)...)
	// 6 % of 30 minutes are 18 events: the page of six hours and 30 minutes ends when all but one of the eight bad minutes are out of
	// that. 1 % of the events of six hours are 36: the last tier ends when all but three are out of that.
	require.Equal(t, map[Minute]Severity{6: Page, 37: Ticket, 365: Nothing}, h.changes(t))

	h = traffic(many(8, 0, 10)...)
	h.End += 50 // without measurements
	levels := h.levels()
	require.Equal(t, span{Page, Page}, levels[len(levels)-1])
	h.then(many(31, 10, 0)...)
	levels = h.levels()
	require.Equal(t, span{Ticket, Ticket}, levels[len(levels)-1])
}

// Events at an unknown time, or of unknown existence, leave both severities possible.
func TestUncertainEvents(t *testing.T) {
	h := traffic(many(30, 10, 0)...)
	h.Events = append(h.Events, Events{From: 1010, To: 1020, Bad: 100, Sure: true}, Events{From: 1025, To: 1025, Bad: 100})
	levels := h.levels()
	assert.Equal(t, span{Nothing, Nothing}, levels[9])
	assert.Equal(t, span{Nothing, Page}, levels[12])
	assert.Equal(t, span{Nothing, Page}, levels[30])
}

// A receiver's notifications must be the due ones.
func TestCheck(t *testing.T) {
	outage := func() *History { return traffic(append(many(8, 0, 10), many(400, 10, 0)...)...) }
	right := []Notice{fires(1006, Page), resolves(1006, 1365)}
	require.NoError(t, outage().Check(right))
	require.NoError(t, traffic(many(100, 10, 0)...).Check(nil))
	require.NoError(t, (&History{}).Check(nil))
	for name, tc := range map[string]struct {
		told []Notice
		want string
	}{
		"never":             {nil, "a page was due at 1970-01-01T16:46:00Z, and it was not told that the alert fires"},
		"late":              {[]Notice{fires(1007, Page), resolves(1007, 1365)}, "a page was due at 1970-01-01T16:46:00Z"},
		"less than it was":  {[]Notice{fires(1006, Ticket), resolves(1006, 1365)}, "began as a ticket"},
		"for ever":          {[]Notice{fires(1006, Page)}, "nothing was due at 1970-01-01T22:45:00Z, and by what it was told"},
		"over too early":    {[]Notice{fires(1006, Page), resolves(1006, 1364)}, "a ticket was due at 1970-01-01T22:44:00Z"},
		"again":             {append(append([]Notice{}, right...), fires(1390, Page)), "nothing was due at"},
		"a page of its own": {[]Notice{fires(1006, Page), resolves(1006, 1100), fires(1100, Page), resolves(1100, 1365)}, "began as a page, where that was due: ticket"},
		"never over":        {[]Notice{fires(1006, Page), fires(1100, Page)}, "and not that it was over"},
		"over twice":        {append(append([]Notice{}, right...), resolves(1006, 1365)), "of which it did not know"},
		"before its time":   {[]Notice{fires(900, Page), resolves(900, 901), fires(1006, Page), resolves(1006, 1365)}, "at no time that was evaluated"},
	} {
		t.Run(name, func(t *testing.T) { require.ErrorContains(t, outage().Check(tc.told), tc.want) })
	}
	h := traffic(append(many(150, 10, 0), many(12, 0, 10)...)...)
	require.NoError(t, h.Check([]Notice{fires(1155, Ticket), fires(1155, Page)}))
	require.ErrorContains(t, h.Check([]Notice{fires(1155, Ticket)}), "was a ticket at its worst")
}

// A minute excludes its start and includes its end, and severities are those of labels.
func TestMinutesAndSeverities(t *testing.T) {
	at := Minute(1000).Start()
	assert.Equal(t, Minute(999), MinuteOf(at))
	assert.Equal(t, Minute(1000), MinuteOf(at.Add(time.Nanosecond)))
	assert.Equal(t, []Severity{Page, Ticket, Nothing}, []Severity{SeverityOf("page"), SeverityOf("ticket"), SeverityOf("")})
	assert.Equal(t, "page", Page.String())
}
