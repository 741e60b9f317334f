// Package traces serves /api/traces/v1/, which finds and shows kept traces. Its entry point is Routes; With, Load and
// StoreError are for packages that show kept traces in another format.
package traces

import (
	"errors"
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
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/reads"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// NotStored says that a trace, by its ID, is not stored.
const NotStored = "Trace %s is not here: it was not kept, has not been decided yet, or has expired."

// Routes lays out the paths.
func Routes(r chi.Router, all *known.Components) {
	r.Get("/api/traces/v1/endpoints", listEndpoints(all))
	r.Get("/api/traces/v1/services", listServices(all))
	r.Get("/api/traces/v1/search", searchTraces(all))
	r.Get("/api/traces/v1/traces/{trace_id}", getTrace(all))
}

// With calls answer with the trace_store exporter, or fail with what to do if there is none.
func With(all *known.Components, fail rest.Failure, answer func(http.ResponseWriter, *http.Request, tracestore.Reader)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		store, ok := known.Find[tracestore.Reader](all)
		if !ok {
			fail(w, http.StatusNotFound, "No trace_store exporter is running: define one and name it behind tail_sampling.")
			return
		}
		answer(w, r, store)
	}
}

func listServices(all *known.Components) http.HandlerFunc {
	return With(all, rest.WriteProblem, func(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
		services, err := store.Services(r.Context())
		if err != nil {
			StoreError(w, rest.WriteProblem, err)
			return
		}
		list := api.Services{Services: []api.Service{}}
		for _, name := range slices.Sorted(maps.Keys(services)) {
			list.Services = append(list.Services, api.Service{Name: name, Operations: append([]string{}, services[name]...)})
		}
		rest.WriteJSON(w, list)
	})
}

func searchTraces(all *known.Components) http.HandlerFunc {
	return With(all, rest.WriteProblem, func(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
		query, err := parseQuery(r.URL.Query())
		if err != nil {
			rest.WriteProblem(w, http.StatusBadRequest, "%v.", err)
			return
		}
		result, err := store.Search(r.Context(), query)
		if err != nil {
			StoreError(w, rest.WriteProblem, err)
			return
		}
		rest.WriteJSON(w, api.TracePageOf(result))
	})
}

func parseQuery(values url.Values) (tracestore.Query, error) {
	p := rest.Params{Values: values}
	p.Only("service", "operation", "min_duration", "max_duration", "error", "match", "policy", "start", "end", "limit", "cursor")
	q := tracestore.Query{
		Service: values.Get("service"), Operation: values.Get("operation"), Policy: values.Get("policy"),
		MinDuration: p.Duration("min_duration"), MaxDuration: p.Duration("max_duration"),
		Start: p.Time("start", time.Time{}), End: p.Time("end", time.Time{}),
		Limit: p.Integer("limit", tracestore.DefaultLimit, 1, tracestore.MaxLimit), Cursor: values.Get("cursor"),
	}
	if failed := p.Boolean("error"); failed != nil {
		q.Error = *failed
	}
	switch match := values.Get("match"); match {
	case "", "span":
	case "trace":
		q.AnySpan = true
	default:
		p.Fail("match", match, "span or trace")
	}
	switch {
	case p.Err != nil:
		return q, p.Err
	case q.MaxDuration > 0 && q.MinDuration > q.MaxDuration:
		return q, fmt.Errorf("min_duration=%s is longer than max_duration=%s: no trace can match", q.MinDuration, q.MaxDuration)
	case !q.Start.IsZero() && !q.End.IsZero() && q.End.Before(q.Start):
		return q, fmt.Errorf("end=%s is before start=%s: no trace can match", values.Get("end"), values.Get("start"))
	}
	return q, nil
}

func getTrace(all *known.Components) http.HandlerFunc {
	return With(all, rest.WriteProblem, func(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
		id, err := rest.ParseTraceID(rest.PathParam(r, "trace_id"))
		if err != nil {
			rest.WriteProblem(w, http.StatusBadRequest, "%v.", err)
			return
		}
		shown, err := Load(r.Context(), store, id)
		if err != nil {
			StoreError(w, rest.WriteProblem, err)
			return
		}
		if shown == nil {
			rest.WriteProblem(w, http.StatusNotFound, NotStored, id)
			return
		}
		kept, err := store.Has(r.Context(), linkedTraces(shown.Trace))
		if err != nil {
			StoreError(w, rest.WriteProblem, err)
			return
		}
		p := rest.NewPage(w)
		writeTrace(p, shown.Trace, &shown.Meta, kept)
		_ = p.Close() // fails only where nobody reads the answer
	})
}

// linkedTraces returns the other traces that the spans link to, each once.
func linkedTraces(t *trace.Trace) (ids []pcommon.TraceID) {
	seen := map[pcommon.TraceID]bool{pcommon.TraceID(t.ID): true}
	for i := range t.Spans[:min(len(t.Spans), rest.MaxSpans)] {
		for _, link := range t.Spans[i].Links {
			if id := pcommon.TraceID(link.Data.TraceID); !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// StoreError answers a request after an error of the store.
func StoreError(w http.ResponseWriter, fail rest.Failure, err error) {
	if reads.Refuse(w, fail, err) {
		return
	}
	if errors.Is(err, tracestore.ErrCursor) {
		fail(w, http.StatusBadRequest, "%v.", err)
		return
	}
	fail(w, http.StatusServiceUnavailable, "The trace store cannot be read: %v. /readyz tells more.", err)
}
