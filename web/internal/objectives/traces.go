package objectives

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
	"github.com/slowburn/slowburn/web/internal/traces"
)

const (
	// tracesSpan is the range of traces without a start.
	tracesSpan    = 24 * time.Hour
	defaultTraces = 3
	maxTraces     = 200
)

// TraceRoutes lays out the path of traces. Its requests query exemplars, which takes a slot of costly ones, so they must hold none.
func TraceRoutes(r chi.Router, all *known.Components) {
	r.Get("/api/slo/v1/objectives/{name}/traces", getTraces(all))
}

// prometheus is an extension that serves Prometheus' HTTP API.
type prometheus interface {
	PrometheusAPI() http.Handler
}

// getTraces answers with stored traces that have a bad event of an objective: the exemplars of its bad events.
func getTraces(all *known.Components) http.HandlerFunc {
	return with(all, func(w http.ResponseWriter, r *http.Request, e engine.Reader) {
		name := rest.PathParam(r, "name")
		status, ok := e.Status(name)
		if !ok {
			rest.WriteProblem(w, http.StatusNotFound, "There is no objective %q: /api/slo/v1/objectives lists them.", name)
			return
		}
		p := rest.Params{Values: r.URL.Query()}
		p.Only("start", "end", "limit")
		end := p.Time("end", clock.Wall())
		start := p.Time("start", end.Add(-tracesSpan))
		limit := p.Integer("limit", defaultTraces, 1, maxTraces)
		if p.Err != nil {
			rest.WriteProblem(w, http.StatusBadRequest, "%v.", p.Err)
			return
		}
		answer := api.ObjectiveTraces{Traces: []api.ObjectiveTrace{}}
		database, queried := known.Find[prometheus](all)
		store, stored := known.Find[tracestore.Reader](all)
		if status.Indicator.Type == slo.PromQL || !queried || !stored {
			rest.WriteJSON(w, answer)
			return
		}
		found, err := exemplarsOf(r.Context(), database.PrometheusAPI(), badEventsOf(e.Objectives(), name), start, end)
		if err != nil {
			rest.WriteProblem(w, http.StatusServiceUnavailable, "The exemplars of %q cannot be read: %v. /readyz tells more.", name, err)
			return
		}
		if answer.Traces, err = storedOf(r.Context(), store, found, limit); err != nil {
			traces.StoreError(w, rest.WriteProblem, err)
			return
		}
		rest.WriteJSON(w, answer)
	})
}

// storedOf returns those of the traces, newest first, that are stored, each once.
func storedOf(ctx context.Context, store tracestore.Reader, found []api.ObjectiveTrace, limit int) ([]api.ObjectiveTrace, error) {
	slices.SortStableFunc(found, func(a, b api.ObjectiveTrace) int { return b.At.Compare(a.At) })
	listed := []api.ObjectiveTrace{}
	seen := map[pcommon.TraceID]bool{}
	for part := range slices.Chunk(found, maxTraces) {
		ids := make([]pcommon.TraceID, len(part))
		for i := range part {
			ids[i], _ = rest.ParseTraceID(part[i].TraceID) // the zero ID is not stored
		}
		has, err := store.Has(ctx, ids)
		if err != nil {
			return nil, err
		}
		for i, id := range ids {
			if len(listed) == limit {
				return listed, nil
			}
			if has[id] && !seen[id] {
				seen[id] = true
				listed = append(listed, part[i])
			}
		}
	}
	return listed, nil
}

// exemplars is the answer of Prometheus' API, as far as it is read.
type exemplars struct {
	Error string `json:"error"`
	Data  []struct {
		Series struct {
			Service   string `json:"service_name"`
			Operation string `json:"span_name"`
			Version   string `json:"service_version"`
			Reason    string `json:"reason"`
		} `json:"seriesLabels"`
		Exemplars []struct {
			Labels struct {
				TraceID    string `json:"trace_id"`
				SpanID     string `json:"span_id"`
				DurationMS string `json:"duration_ms"`
			} `json:"labels"`
			Seconds float64 `json:"timestamp"`
		} `json:"exemplars"`
	} `json:"data"`
}

// badEventsOf selects the series of an objective's bad events.
func badEventsOf(list []slo.Objective, name string) string {
	counted, service := slo.CountedAs(list, name)
	selector := "objective=" + strconv.Quote(counted)
	if service != "" {
		selector += ",service_name=" + strconv.Quote(service)
	}
	return "slowburn_sli_bad_events_total{" + selector + "}"
}

// exemplarsOf queries the exemplars of series.
func exemplarsOf(ctx context.Context, database http.Handler, series string, start, end time.Time) (list []api.ObjectiveTrace, err error) {
	query := url.Values{
		"query": {series},
		"start": {start.UTC().Format(time.RFC3339Nano)}, "end": {end.UTC().Format(time.RFC3339Nano)},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/query_exemplars?"+query.Encode(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make the query: %w", err)
	}
	answer := recorded{header: http.Header{}, status: http.StatusOK}
	database.ServeHTTP(&answer, request)
	var found exemplars
	err = json.Unmarshal(answer.body.Bytes(), &found)
	switch {
	case found.Error != "":
		return nil, errors.New(found.Error)
	case err != nil:
		return nil, fmt.Errorf("read the answer, of status %d: %w", answer.status, err)
	}
	for i := range found.Data {
		s := &found.Data[i].Series
		for _, e := range found.Data[i].Exemplars {
			t := api.ObjectiveTrace{
				TraceID: e.Labels.TraceID, SpanID: e.Labels.SpanID, At: time.UnixMilli(int64(e.Seconds * 1000)).UTC(),
				Service: s.Service, Operation: s.Operation, Version: s.Version, Reason: s.Reason,
			}
			t.DurationMS, _ = strconv.ParseFloat(e.Labels.DurationMS, 64) // 0 where another sender left it out
			list = append(list, t)
		}
	}
	return list, nil
}

// recorded is an answer in memory.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorded) Header() http.Header         { return r.header }
func (r *recorded) WriteHeader(status int)      { r.status = status }
func (r *recorded) Write(b []byte) (int, error) { return r.body.Write(b) }
