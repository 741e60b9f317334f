package web

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/tracestore"
)

// withTraces finds the trace_store exporter, or says what to do.
func withTraces(all *components, answer func(http.ResponseWriter, *http.Request, tracestore.Reader)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		store, ok := find[tracestore.Reader](all)
		if !ok {
			writeProblem(w, http.StatusNotFound, "No trace_store exporter is running: define one and name it behind tail_sampling.")
			return
		}
		answer(w, r, store)
	}
}

type serviceList struct {
	Services []serviceItem `json:"services"`
}

type serviceItem struct {
	Name       string   `json:"name"`
	Operations []string `json:"operations"`
}

func listServices(all *components) http.HandlerFunc {
	return withTraces(all, func(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
		services, err := store.Services(r.Context())
		if err != nil {
			writeStoreError(w, err)
			return
		}
		list := serviceList{Services: []serviceItem{}}
		for _, name := range slices.Sorted(maps.Keys(services)) {
			list.Services = append(list.Services, serviceItem{name, append([]string{}, services[name]...)})
		}
		writeJSON(w, list)
	})
}

func searchTraces(all *components) http.HandlerFunc {
	return withTraces(all, func(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
		query, err := parseQuery(r.URL.Query())
		if err != nil {
			writeProblem(w, http.StatusBadRequest, "%v.", err)
			return
		}
		result, err := store.Search(r.Context(), query)
		if err != nil {
			writeStoreError(w, err)
			return
		}
		if result.Traces == nil {
			result.Traces = []tracestore.Summary{}
		}
		writeJSON(w, result)
	})
}

func parseQuery(values url.Values) (tracestore.Query, error) {
	p := params{values: values}
	q := tracestore.Query{
		Service: values.Get("service"), Operation: values.Get("operation"), Policy: values.Get("policy"),
		MinDuration: p.duration("min_duration"), MaxDuration: p.duration("max_duration"),
		Start: p.time("start", time.Time{}), End: p.time("end", time.Time{}),
		Limit: p.integer("limit", tracestore.DefaultLimit, 1, tracestore.MaxLimit), Cursor: values.Get("cursor"),
	}
	if failed := p.boolean("error"); failed != nil {
		q.Error = *failed
	}
	if p.err == nil && q.MaxDuration > 0 && q.MinDuration > q.MaxDuration {
		return q, fmt.Errorf("min_duration=%s is longer than max_duration=%s: no trace can match", q.MinDuration, q.MaxDuration)
	}
	return q, p.err
}

func getTrace(all *components) http.HandlerFunc {
	return withTraces(all, func(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
		id, err := parseTraceID(chi.URLParam(r, "trace_id"))
		if err != nil {
			writeProblem(w, http.StatusBadRequest, "%v.", err)
			return
		}
		td, meta, ok, err := store.Trace(r.Context(), id)
		if err != nil {
			writeStoreError(w, err)
			return
		}
		t, found := single(td, id)
		if !ok || !found {
			writeProblem(w, http.StatusNotFound, "Trace %s is not here: it was not kept, has not been decided yet, or has expired.", id)
			return
		}
		kept, err := store.Has(r.Context(), linkedTraces(t))
		if err != nil {
			writeStoreError(w, err)
			return
		}
		writeJSON(w, viewTrace(t, meta, kept))
	})
}

// linkedTraces are the other traces that the spans link to.
func linkedTraces(t *trace.Trace) (ids []pcommon.TraceID) {
	for i := range t.Spans {
		for _, link := range t.Spans[i].Links {
			if id := link.Data.TraceID(); id != t.ID {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// parseTraceID reads 32 hexadecimal digits, or the 16 that some tools write for IDs with a zero half.
func parseTraceID(s string) (id pcommon.TraceID, err error) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != 16 && len(raw) != 8 {
		return id, fmt.Errorf("%q is no trace ID: it must be 32 hexadecimal digits", s)
	}
	copy(id[16-len(raw):], raw)
	return id, nil
}

func writeStoreError(w http.ResponseWriter, err error) {
	writeProblem(w, http.StatusServiceUnavailable, "The trace store cannot be read: %v. /readyz tells more.", err)
}
