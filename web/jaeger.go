package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/slowburn/slowburn/processor/tracestore"
)

// jaegerAnswer is the envelope of Jaeger's query API.
type jaegerAnswer struct {
	Data   any           `json:"data"`
	Total  int           `json:"total"`
	Limit  int           `json:"limit"`
	Offset int           `json:"offset"`
	Errors []jaegerError `json:"errors"`
}

type jaegerError struct {
	Code int    `json:"code"`
	Msg  string `json:"msg"`
}

// jaegerRoutes serves the part of Jaeger's query API that Grafana's Jaeger data source asks for.
func jaegerRoutes(r chi.Router, all *components) {
	r.Get("/services", withTraces(all, jaegerServices))
	r.Get("/services/{service}/operations", withTraces(all, jaegerServiceOperations))
	r.Get("/operations", withTraces(all, jaegerOperations))
	r.Get("/traces", withTraces(all, jaegerSearch))
	r.Get("/traces/{trace_id}", withTraces(all, jaegerTrace))
}

func writeJaeger[T any](w http.ResponseWriter, data []T) {
	writeJSON(w, jaegerAnswer{Data: append([]T{}, data...), Total: len(data)})
}

func jaegerFail(w http.ResponseWriter, status int, err error) {
	body, _ := json.Marshal(jaegerAnswer{Errors: []jaegerError{{status, err.Error()}}}) // strings and numbers encode
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func jaegerServices(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	services, err := store.Services(r.Context())
	if err != nil {
		jaegerFail(w, http.StatusServiceUnavailable, err)
		return
	}
	names := make([]string, 0, len(services))
	for name := range services {
		names = append(names, name)
	}
	slices.Sort(names)
	writeJaeger(w, names)
}

func jaegerServiceOperations(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	services, err := store.Services(r.Context())
	if err != nil {
		jaegerFail(w, http.StatusServiceUnavailable, err)
		return
	}
	name, err := url.PathUnescape(chi.URLParam(r, "service"))
	if err != nil {
		jaegerFail(w, http.StatusBadRequest, err)
		return
	}
	writeJaeger(w, services[name])
}

type jaegerOperation struct {
	Name string `json:"name"`
	Kind string `json:"spanKind"`
}

func jaegerOperations(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	services, err := store.Services(r.Context())
	if err != nil {
		jaegerFail(w, http.StatusServiceUnavailable, err)
		return
	}
	var list []jaegerOperation
	for _, name := range services[r.URL.Query().Get("service")] {
		list = append(list, jaegerOperation{Name: name})
	}
	writeJaeger(w, list)
}

func jaegerSearch(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	query, err := jaegerQuery(r.URL.Query())
	if err != nil {
		jaegerFail(w, http.StatusBadRequest, err)
		return
	}
	found, err := store.Search(r.Context(), query)
	if err != nil {
		jaegerFail(w, http.StatusServiceUnavailable, err)
		return
	}
	traces := []jaegerTraceView{}
	for _, summary := range found.Traces {
		id, err := parseTraceID(summary.TraceID)
		if err != nil {
			jaegerFail(w, http.StatusInternalServerError, err)
			return
		}
		td, _, ok, err := store.Trace(r.Context(), id)
		if err != nil {
			jaegerFail(w, http.StatusServiceUnavailable, err)
			return
		}
		if t, found := single(td, id); ok && found {
			traces = append(traces, viewJaeger(t))
		}
	}
	writeJaeger(w, traces)
}

func jaegerTrace(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	id, err := parseTraceID(chi.URLParam(r, "trace_id"))
	if err != nil {
		jaegerFail(w, http.StatusBadRequest, err)
		return
	}
	td, _, ok, err := store.Trace(r.Context(), id)
	if err != nil {
		jaegerFail(w, http.StatusServiceUnavailable, err)
		return
	}
	t, found := single(td, id)
	if !ok || !found {
		jaegerFail(w, http.StatusNotFound, fmt.Errorf("trace not found"))
		return
	}
	writeJaeger(w, []jaegerTraceView{viewJaeger(t)})
}

// jaegerQuery reads the parameters of Jaeger's trace search. Of the tags it knows error, the one that has an index.
func jaegerQuery(values url.Values) (tracestore.Query, error) {
	p := params{values: values}
	q := tracestore.Query{
		Service: values.Get("service"), Operation: values.Get("operation"),
		MinDuration: p.duration("minDuration"), MaxDuration: p.duration("maxDuration"),
		Start: p.micros("start"), End: p.micros("end"),
		Limit: min(p.integer("limit", tracestore.DefaultLimit, 1, 100_000), tracestore.MaxLimit),
	}
	if p.err != nil {
		return q, p.err
	}
	if strings.EqualFold(q.Operation, "all") {
		q.Operation = ""
	}
	tags := map[string]string{}
	if text := values.Get("tags"); text != "" {
		if err := json.Unmarshal([]byte(text), &tags); err != nil {
			return q, fmt.Errorf("tags must be a JSON object of strings: %w", err)
		}
	}
	for key, value := range tags {
		if key != "error" || value != "true" {
			return q, fmt.Errorf("tag %s=%s cannot be searched: only error=true can", key, value)
		}
		q.Error = true
	}
	return q, nil
}

// micros reads a time in Unix microseconds.
func (p *params) micros(name string) time.Time {
	v := p.values.Get(name)
	if v == "" {
		return time.Time{}
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		p.fail(name, v, "a time in Unix microseconds")
	}
	return time.UnixMicro(n)
}
