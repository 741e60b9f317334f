package objectives

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slowburn/slowburn/internal/brief"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
)

const (
	rowsPerPage = 100
	// maxMessage is the longest message in bytes, and maxMessages the size of all on a page: an objective's page has the whole of its own.
	maxMessage  = 200
	maxMessages = 2 << 10
	// meterWindows is the number of windows whose burn rates a row shows.
	meterWindows = 4
)

// usualWindows are those of detection (5m), of the pages (1h, 6h) and of the slow ticket (3d).
var usualWindows = []string{"5m", "1h", "6h", "3d"}

func getOverview(all *known.Components) http.HandlerFunc {
	return with(all, func(w http.ResponseWriter, r *http.Request, e engine.Reader) {
		s, err := parseSelection(r.URL.Query(), byUrgency, rowsPerPage)
		if err != nil {
			rest.WriteProblem(w, http.StatusBadRequest, "%v.", err)
			return
		}
		rest.WriteJSON(w, overviewOf(e.Statuses(), &s))
	})
}

// overviewOf returns a page of rows.
func overviewOf(all engine.Statuses, s *selection) api.Overview {
	list, matched, next := s.page(all.Objectives)
	o := api.Overview{
		EvaluatedUntil: all.EvaluatedUntil, NextEvaluation: all.NextEvaluation, Total: len(all.Objectives), Matched: matched,
		ByUrgency: tally(all.Objectives), Meters: []api.Meter{}, Promises: []api.ObjectivePromise{}, Messages: []string{},
		Rows: make([]api.ObjectiveRow, len(list)), NextCursor: next,
	}
	meters, promises, messages := map[string]int{}, map[api.ObjectivePromise]int{}, map[string]int{}
	room := maxMessages
	for i, status := range list {
		row := &o.Rows[i]
		*row = rowOf(status)
		promise := api.ObjectivePromise{Type: status.Indicator.Type, Kind: status.Indicator.Kind, ThresholdMS: status.Indicator.ThresholdMS,
			Target: status.Target, Window: status.Window}
		if status.State != engine.StateOK && len(status.Message) > 0 {
			at, ok := messages[status.Message]
			if text := brief.Text(status.Message, maxMessage); !ok && len(text) <= room {
				room -= len(text)
				at, ok = len(o.Messages), true
				messages[status.Message] = at
				o.Messages = append(o.Messages, text)
			}
			if ok {
				row.Message = &at
			}
		}
		var ok bool
		if row.Promise, ok = promises[promise]; !ok {
			row.Promise = len(o.Promises)
			promises[promise] = row.Promise
			o.Promises = append(o.Promises, promise)
		}
		windows := windowsOf(status)
		name := meterName(windows)
		if row.Meter, ok = meters[name]; !ok {
			row.Meter = len(o.Meters)
			meters[name] = row.Meter
			o.Meters = append(o.Meters, api.Meter{Windows: windows})
		}
		row.BurnRates = make([]*float64, len(windows))
		for j, window := range windows {
			if at := slices.IndexFunc(status.BurnRates, func(b engine.BurnRate) bool { return b.Window == window.Window }); at >= 0 {
				row.BurnRates[j] = rounded(status.BurnRates[at].BurnRate)
			}
		}
	}
	return o
}

func rowOf(s *engine.Status) api.ObjectiveRow {
	row := api.ObjectiveRow{
		Name: s.Name, Service: s.Service, Urgency: urgencyOf(s).String(), Policy: s.Budget.Policy, Total: units(s, s.Events.Total), Bad: units(s, s.Events.Bad),
	}
	if s.Events.Total > 0 {
		row.RemainingRatio = rounded(&s.Budget.RemainingRatio)
		if s.Budget.Young {
			row.SeenSeconds = s.Coverage.SeenSeconds
		}
	}
	if s.Alert.State == alert.Firing || s.Alert.State == alert.Pending {
		row.Since = seconds(s.Alert.Since)
	}
	if s.State != engine.StateOK {
		row.State = s.State
	}
	return row
}

// windowsOf returns the windows whose burn rates a row shows, with the factors that they are held against: those of active tiers first;
// else the usual ones or, for tiers with other windows, theirs. They are in the order of their length.
func windowsOf(s *engine.Status) []api.MeterWindow {
	var chosen []string
	for _, t := range s.Tiers {
		if t.Active {
			chosen = append(chosen, t.LongWindow, t.ShortWindow)
		}
	}
	watched := func(window string) bool {
		return slices.ContainsFunc(s.Tiers, func(t engine.Tier) bool { return t.LongWindow == window || t.ShortWindow == window })
	}
	unusual := slices.ContainsFunc(usualWindows, func(w string) bool { return !watched(w) })
	if len(chosen) == 0 && len(s.Tiers) > 0 && unusual {
		for i := range s.BurnRates {
			if watched(s.BurnRates[i].Window) {
				chosen = append(chosen, s.BurnRates[i].Window)
			}
		}
	} else {
		chosen = append(chosen, usualWindows...)
	}
	windows := []api.MeterWindow{}
	var lengths []int64
	for _, window := range chosen {
		if len(windows) == meterWindows {
			break
		}
		at := slices.IndexFunc(s.BurnRates, func(b engine.BurnRate) bool { return b.Window == window })
		if at < 0 || slices.Contains(lengths, s.BurnRates[at].WindowSeconds) {
			continue
		}
		length := s.BurnRates[at].WindowSeconds
		place, _ := slices.BinarySearch(lengths, length)
		lengths = slices.Insert(lengths, place, length)
		windows = slices.Insert(windows, place, heldAgainst(s.Tiers, window))
	}
	return windows
}

// heldAgainst returns a window with the factor of the tier that has it as the long window, else as the short one; the stricter severity
// first.
func heldAgainst(tiers []engine.Tier, window string) api.MeterWindow {
	m := api.MeterWindow{Window: window}
	best := -1
	for i := range tiers {
		t := &tiers[i]
		if t.Reachable && (t.LongWindow == window || t.ShortWindow == window) && (best < 0 || stricter(t, &tiers[best], window) < 0) {
			best = i
		}
	}
	if best >= 0 {
		m.Factor, m.Severity = rounded(&tiers[best].Factor), tiers[best].Severity
	}
	return m
}

func stricter(a, b *engine.Tier, window string) int {
	rank := func(t *engine.Tier) int {
		n := 0
		if t.LongWindow != window {
			n += 2
		}
		if t.Severity != slo.Page {
			n++
		}
		return n
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), -cmp.Compare(a.Factor, b.Factor))
}

// meterName returns a text that two meters share only if they are equal.
func meterName(windows []api.MeterWindow) string {
	var b strings.Builder
	for _, w := range windows {
		b.WriteString(w.Window)
		b.WriteByte(' ')
		if w.Factor != nil {
			b.WriteString(strconv.FormatFloat(*w.Factor, 'g', -1, 64))
		}
		b.WriteByte(' ')
		b.WriteString(string(w.Severity))
		b.WriteByte('\n')
	}
	return b.String()
}

// rounded returns a value with four significant digits.
func rounded(v *float64) *float64 {
	if v == nil {
		return nil
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(*v, 'g', 4, 64), 64)
	if err != nil {
		return v
	}
	return &short
}

// seconds returns a time without fractions of a second.
func seconds(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	whole := t.UTC().Truncate(time.Second)
	return &whole
}

// units returns how many whole units of an objective some of its counts are: where a minute can be bad in part, minutes.
func units(s *engine.Status, counts uint64) uint64 {
	parts := max(s.Indicator.UnitParts, 1)
	return (counts + parts/2) / parts
}
