package web

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

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
	get := func(pattern string, answer func(http.ResponseWriter, *http.Request, tracestore.Reader)) {
		r.Get(pattern, withTraces(all, writeJaegerError, answer))
	}
	get("/services", jaegerServices)
	get("/services/{service}/operations", jaegerServiceOperations)
	get("/operations", jaegerOperations)
	get("/traces", jaegerSearch)
	get("/traces/{trace_id}", jaegerTrace)
	r.MethodNotAllowed(onlyGet(writeJaegerError))
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		writeJaegerError(w, http.StatusNotFound, "There is nothing at %s: this is the part of Jaeger's query API that finds and shows traces.", r.URL.Path)
	})
}

func writeJaeger[T any](w http.ResponseWriter, data []T) {
	writeJSON(w, jaegerAnswer{Data: append([]T{}, data...), Total: len(data)})
}

// writeJaegerError is a failure in Jaeger's form.
func writeJaegerError(w http.ResponseWriter, status int, format string, args ...any) {
	writeError(w, "application/json", status, jaegerAnswer{Errors: []jaegerError{{status, fmt.Sprintf(format, args...)}}})
}

func jaegerServices(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	services, err := store.Services(r.Context())
	if err != nil {
		storeError(w, writeJaegerError, err)
		return
	}
	writeJaeger(w, slices.Sorted(maps.Keys(services)))
}

func jaegerServiceOperations(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	services, err := store.Services(r.Context())
	if err != nil {
		storeError(w, writeJaegerError, err)
		return
	}
	writeJaeger(w, services[pathParam(r, "service")])
}

type jaegerOperation struct {
	Name string `json:"name"`
	Kind string `json:"spanKind"` // always "", as the index does not have it
}

func jaegerOperations(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	services, err := store.Services(r.Context())
	if err != nil {
		storeError(w, writeJaegerError, err)
		return
	}
	var list []jaegerOperation
	for _, name := range services[r.URL.Query().Get("service")] {
		list = append(list, jaegerOperation{Name: name})
	}
	writeJaeger(w, list)
}

// jaegerSpans bounds the spans of one answer, which is held in memory: fewer traces than the limit are an answer too.
const jaegerSpans = 100_000

// jaegerSearch finds traces, or shows those that traceID names.
func jaegerSearch(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	values := r.URL.Query()
	names := values["traceID"]
	if len(names) == 0 {
		query, err := jaegerQuery(values)
		if err != nil {
			writeJaegerError(w, http.StatusBadRequest, "%v.", err)
			return
		}
		found, err := store.Search(r.Context(), query)
		if err != nil {
			storeError(w, writeJaegerError, err)
			return
		}
		for _, summary := range found.Traces {
			names = append(names, summary.TraceID)
		}
	}
	if len(names) > tracestore.MaxLimit {
		writeJaegerError(w, http.StatusBadRequest, "%d trace IDs are too many: ask for at most %d.", len(names), tracestore.MaxLimit)
		return
	}
	var traces []jaegerTraceView
	spans := 0
	for _, name := range names {
		id, err := parseTraceID(name)
		if err != nil {
			writeJaegerError(w, http.StatusBadRequest, "%v.", err)
			return
		}
		t, _, err := load(r.Context(), store, id)
		if err != nil {
			storeError(w, writeJaegerError, err)
			return
		}
		if t != nil { // it may have expired since it was found
			traces = append(traces, viewJaeger(t))
			if spans += len(t.Spans); spans >= jaegerSpans {
				break
			}
		}
	}
	writeJaeger(w, traces)
}

func jaegerTrace(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	id, err := parseTraceID(pathParam(r, "trace_id"))
	if err != nil {
		writeJaegerError(w, http.StatusBadRequest, "%v.", err)
		return
	}
	t, _, err := load(r.Context(), store, id)
	switch {
	case err != nil:
		storeError(w, writeJaegerError, err)
	case t == nil:
		writeJaegerError(w, http.StatusNotFound, notHere, id)
	default:
		writeJaeger(w, []jaegerTraceView{viewJaeger(t)})
	}
}
