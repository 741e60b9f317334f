// Package objectives serves /api/slo/v1/ and /api/alerts/v1/: the objectives, alerts and deliveries of alerts of the extension
// `slo`. Its entry point is Routes.
package objectives

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
)

const (
	historySpan   = time.Hour // of the history without a start
	historyPoints = 300       // about the number of points without a step
)

// Routes lays out the paths.
func Routes(r chi.Router, all *known.Components) {
	r.Get("/api/slo/v1/overview", getOverview(all))
	r.Get("/api/slo/v1/objectives", listObjectives(all))
	r.Get("/api/slo/v1/objectives/{name}", getObjective(all))
	r.Get("/api/slo/v1/objectives/{name}/history", getHistory(all))
	r.Get("/api/slo/v1/objectives/{name}/breakdown", getBreakdown(all))
	r.Get("/api/alerts/v1/alerts", listAlerts(all))
	r.Get("/api/alerts/v1/deliveries", listDeliveries(all))
}

// with calls answer with the slo extension, or answers with what to do if there is none.
func with(all *known.Components, answer func(http.ResponseWriter, *http.Request, engine.Reader)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		reader, ok := known.Find[engine.Reader](all)
		if !ok {
			rest.WriteProblem(w, http.StatusNotFound, "No slo extension is running: define one under extensions and name it in service::extensions.")
			return
		}
		answer(w, r, reader)
	}
}

func listObjectives(all *known.Components) http.HandlerFunc {
	return with(all, func(w http.ResponseWriter, r *http.Request, e engine.Reader) {
		shown := e.Statuses()
		s, err := parseSelection(r.URL.Query(), configured, max(len(shown.Objectives), 1))
		if err != nil {
			rest.WriteProblem(w, http.StatusBadRequest, "%v.", err)
			return
		}
		list, matched, next := s.page(shown.Objectives)
		total := len(shown.Objectives)
		shown.Objectives = make([]engine.Status, len(list))
		for i, status := range list {
			shown.Objectives[i] = *status
		}
		answer := api.ObjectivesOf(shown)
		answer.Total, answer.Matched, answer.NextCursor = total, matched, next
		for i := range answer.Objectives {
			noteCounts(all, &answer.Objectives[i])
			answer.Objectives[i].Coverage.Gaps = nil // an objective's own answer lists them
		}
		rest.WriteJSON(w, answer)
	})
}

// noteCounts sets the counts of an objective that counts spans from the components that count them.
func noteCounts(all *known.Components, objective *api.Objective) {
	if !(slo.Indicator{Type: objective.Indicator.Type}).CountsSpans() {
		return
	}
	var volatile, lost []string
	for _, c := range known.FindAll[slo.Counts](all) {
		if v := c.Volatile(); v != "" {
			volatile = append(volatile, v)
		}
		if l := c.Lost(); l != "" {
			lost = append(lost, l)
		}
	}
	objective.ClocksOff = clocksOff(all, objective.Indicator.Service)
	objective.VolatileCounts, objective.LostCounts = strings.Join(volatile, "; "), strings.Join(lost, "; ")
}

// clocksOff returns the clocks that are behind of a service, or of all services if it is empty.
func clocksOff(all *known.Components, service string) []api.ClockOff {
	var off []slo.ClockOff
	for _, c := range known.FindAll[slo.Clocks](all) {
		for _, p := range c.ClocksOff() {
			if service == "" || p.Service == service {
				off = append(off, p)
			}
		}
	}
	slices.SortStableFunc(off, func(a, b slo.ClockOff) int { return cmp.Compare(a.Service, b.Service) })
	return api.ClocksOffOf(off)
}

func getObjective(all *known.Components) http.HandlerFunc {
	return with(all, func(w http.ResponseWriter, r *http.Request, e engine.Reader) {
		name := rest.PathParam(r, "name")
		status, ok := e.Status(name)
		if !ok {
			rest.WriteProblem(w, http.StatusNotFound, "There is no objective %q: /api/slo/v1/objectives lists them.", name)
			return
		}
		answer := api.ObjectiveOf(status)
		noteCounts(all, &answer)
		rest.WriteJSON(w, answer)
	})
}

func getHistory(all *known.Components) http.HandlerFunc {
	return with(all, func(w http.ResponseWriter, r *http.Request, e engine.Reader) {
		p := rest.Params{Values: r.URL.Query()}
		p.Only("start", "end", "step")
		end := p.Time("end", clock.Wall())
		start := p.Time("start", end.Add(-historySpan))
		step := time.Duration(p.Integer("step", defaultStep(end.Sub(start)), 60, 366*24*3600)) * time.Second
		if p.Err != nil {
			rest.WriteProblem(w, http.StatusBadRequest, "%v.", p.Err)
			return
		}
		history, err := e.History(rest.PathParam(r, "name"), start, end, step)
		if err != nil {
			writeEngineError(w, err)
			return
		}
		rest.WriteJSON(w, api.HistoryOf(history))
	})
}

// defaultStep returns a step in seconds, of whole minutes, that gives about historyPoints points in a range.
func defaultStep(span time.Duration) int {
	return 60 * max(1, int(span/historyPoints/time.Minute))
}

func listAlerts(all *known.Components) http.HandlerFunc {
	return with(all, func(w http.ResponseWriter, _ *http.Request, e engine.Reader) {
		answerOrFail(w, e.Alerts, api.AlertsOf)
	})
}

func listDeliveries(all *known.Components) http.HandlerFunc {
	return with(all, func(w http.ResponseWriter, _ *http.Request, e engine.Reader) {
		answerOrFail(w, e.Deliveries, api.DeliveriesOf)
	})
}

func answerOrFail[From, To any](w http.ResponseWriter, read func() (From, error), describe func(From) To) {
	found, err := read()
	if err != nil {
		writeEngineError(w, err)
		return
	}
	rest.WriteJSON(w, describe(found))
}

func writeEngineError(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, engine.ErrUnknownObjective):
		status = http.StatusNotFound
	case errors.Is(err, engine.ErrBadRange):
		status = http.StatusBadRequest
	case errors.Is(err, engine.ErrNotRunning), errors.Is(err, state.ErrCorrupt): // until the file is moved aside
		status = http.StatusServiceUnavailable
	}
	rest.WriteProblem(w, status, "%v.", err)
}
