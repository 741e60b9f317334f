package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/slowburn/slowburn/slo/engine"
)

const (
	historySpan   = time.Hour // of the history when no start is given
	historyPoints = 300       // about as many when no step is given
)

// withEngine finds the slo extension, or says what to do.
func withEngine(all *components, answer func(http.ResponseWriter, *http.Request, engine.Reader)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		reader, ok := find[engine.Reader](all)
		if !ok {
			writeProblem(w, http.StatusNotFound, "No slo extension is running: define one under extensions and name it in service::extensions.")
			return
		}
		answer(w, r, reader)
	}
}

func listObjectives(all *components) http.HandlerFunc {
	return withEngine(all, func(w http.ResponseWriter, _ *http.Request, e engine.Reader) { writeJSON(w, e.Statuses()) })
}

func getObjective(all *components) http.HandlerFunc {
	return withEngine(all, func(w http.ResponseWriter, r *http.Request, e engine.Reader) {
		name := pathParam(r, "name")
		status, ok := e.Status(name)
		if !ok {
			writeProblem(w, http.StatusNotFound, "There is no objective %q: /api/slo/v1/objectives lists them.", name)
			return
		}
		writeJSON(w, status)
	})
}

func getHistory(all *components) http.HandlerFunc {
	return withEngine(all, func(w http.ResponseWriter, r *http.Request, e engine.Reader) {
		p := params{values: r.URL.Query()}
		p.only("start", "end", "step")
		end := p.time("end", time.Now())
		start := p.time("start", end.Add(-historySpan))
		step := time.Duration(p.integer("step", defaultStep(end.Sub(start)), 60, 366*24*3600)) * time.Second
		if p.err != nil {
			writeProblem(w, http.StatusBadRequest, "%v.", p.err)
			return
		}
		history, err := e.History(pathParam(r, "name"), start, end, step)
		if err != nil {
			writeEngineError(w, err)
			return
		}
		writeJSON(w, history)
	})
}

// defaultStep is the whole minutes, in seconds, that make about historyPoints of a range.
func defaultStep(span time.Duration) int {
	return 60 * max(1, int(span/historyPoints/time.Minute))
}

func listAlerts(all *components) http.HandlerFunc {
	return withEngine(all, func(w http.ResponseWriter, _ *http.Request, e engine.Reader) {
		answerOrFail(w, e.Alerts)
	})
}

func listDeliveries(all *components) http.HandlerFunc {
	return withEngine(all, func(w http.ResponseWriter, _ *http.Request, e engine.Reader) {
		answerOrFail(w, e.Deliveries)
	})
}

func answerOrFail[T any](w http.ResponseWriter, read func() (T, error)) {
	answer, err := read()
	if err != nil {
		writeEngineError(w, err)
		return
	}
	writeJSON(w, answer)
}

func writeEngineError(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, engine.ErrUnknownObjective):
		status = http.StatusNotFound
	case errors.Is(err, engine.ErrBadRange):
		status = http.StatusBadRequest
	case errors.Is(err, engine.ErrNotRunning):
		status = http.StatusServiceUnavailable
	}
	writeProblem(w, status, "%v.", err)
}
