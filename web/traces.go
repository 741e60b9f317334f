package web

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/tracestore"
)

const notHere = "Trace %s is not here: it was not kept, has not been decided yet, or has expired."

// withTraces finds the trace_store exporter, or says by fail what to do.
func withTraces(all *components, fail failure, answer func(http.ResponseWriter, *http.Request, tracestore.Reader)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		store, ok := find[tracestore.Reader](all)
		if !ok {
			fail(w, http.StatusNotFound, "No trace_store exporter is running: define one and name it behind tail_sampling.")
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
	return withTraces(all, writeProblem, func(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
		services, err := store.Services(r.Context())
		if err != nil {
			storeError(w, writeProblem, err)
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
	return withTraces(all, writeProblem, func(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
		query, err := parseQuery(r.URL.Query())
		if err != nil {
			writeProblem(w, http.StatusBadRequest, "%v.", err)
			return
		}
		result, err := store.Search(r.Context(), query)
		if err != nil {
			storeError(w, writeProblem, err)
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
	p.only("service", "operation", "min_duration", "max_duration", "error", "policy", "start", "end", "limit", "cursor")
	q := tracestore.Query{
		Service: values.Get("service"), Operation: values.Get("operation"), Policy: values.Get("policy"),
		MinDuration: p.duration("min_duration"), MaxDuration: p.duration("max_duration"),
		Start: p.time("start", time.Time{}), End: p.time("end", time.Time{}),
		Limit: p.integer("limit", tracestore.DefaultLimit, 1, tracestore.MaxLimit), Cursor: values.Get("cursor"),
	}
	if failed := p.boolean("error"); failed != nil {
		q.Error = *failed
	}
	switch {
	case p.err != nil:
		return q, p.err
	case q.MaxDuration > 0 && q.MinDuration > q.MaxDuration:
		return q, fmt.Errorf("min_duration=%s is longer than max_duration=%s: no trace can match", q.MinDuration, q.MaxDuration)
	case !q.Start.IsZero() && !q.End.IsZero() && q.End.Before(q.Start):
		return q, fmt.Errorf("end=%s is before start=%s: no trace can match", values.Get("end"), values.Get("start"))
	}
	return q, nil
}

func getTrace(all *components) http.HandlerFunc {
	return withTraces(all, writeProblem, func(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
		id, err := parseTraceID(pathParam(r, "trace_id"))
		if err != nil {
			writeProblem(w, http.StatusBadRequest, "%v.", err)
			return
		}
		t, meta, err := load(r.Context(), store, id)
		if err != nil {
			storeError(w, writeProblem, err)
			return
		}
		if t == nil {
			writeProblem(w, http.StatusNotFound, notHere, id)
			return
		}
		kept, err := store.Has(r.Context(), linkedTraces(t))
		if err != nil {
			storeError(w, writeProblem, err)
			return
		}
		writeJSON(w, viewTrace(t, meta, kept))
	})
}

// load reconstructs a stored trace, nil where it is not here.
func load(ctx context.Context, store tracestore.Reader, id pcommon.TraceID) (*trace.Trace, tracestore.Meta, error) {
	td, meta, ok, err := store.Trace(ctx, id)
	if err != nil || !ok {
		return nil, meta, err
	}
	for _, group := range trace.Group(td) {
		if group.ID == id {
			return assemble.Trace(group, assemble.Options{}), meta, nil
		}
	}
	return nil, meta, nil
}

// linkedTraces are the other traces that the spans link to, each once.
func linkedTraces(t *trace.Trace) (ids []pcommon.TraceID) {
	seen := map[pcommon.TraceID]bool{t.ID: true}
	for i := range t.Spans {
		for _, link := range t.Spans[i].Links {
			if id := link.Data.TraceID(); !seen[id] {
				seen[id] = true
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

func storeError(w http.ResponseWriter, fail failure, err error) {
	if errors.Is(err, tracestore.ErrCursor) {
		fail(w, http.StatusBadRequest, "%v.", err)
		return
	}
	fail(w, http.StatusServiceUnavailable, "The trace store cannot be read: %v. /readyz tells more.", err)
}
