// Package jaeger serves the part of Jaeger's query API that Grafana's Jaeger data source uses, in Jaeger's own format, errors
// included. Its entry point is Routes.
package jaeger

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/brief"
	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
	"github.com/slowburn/slowburn/web/internal/traces"
)

// envelope wraps every answer of Jaeger's query API.
type envelope struct {
	Data   any         `json:"data"`
	Total  int         `json:"total"`
	Limit  int         `json:"limit"`
	Offset int         `json:"offset"`
	Errors []errorView `json:"errors"`
}

type errorView struct {
	Code int    `json:"code"`
	Msg  string `json:"msg"`
}

// Routes adds the routes of the query API.
func Routes(r chi.Router, all *known.Components) {
	get := func(pattern string, handle func(http.ResponseWriter, *http.Request, tracestore.Reader)) {
		r.Get(pattern, traces.With(all, WriteError, handle))
	}
	get("/services", listServices)
	get("/services/{service}/operations", serviceOperations)
	get("/operations", listOperations)
	get("/traces", search)
	get("/traces/{trace_id}", getTrace)
	r.MethodNotAllowed(rest.NotAllowed(WriteError, http.MethodGet, http.MethodHead))
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		WriteError(w, http.StatusNotFound, "There is nothing at %s: this is the part of Jaeger's query API that finds and shows traces.", r.URL.Path)
	})
}

func write[T any](w http.ResponseWriter, data []T) {
	rest.WriteJSON(w, envelope{Data: append([]T{}, data...), Total: len(data)})
}

// WriteError writes an error in Jaeger's format.
func WriteError(w http.ResponseWriter, status int, format string, args ...any) {
	rest.WriteError(w, "application/json", status, envelope{Errors: []errorView{{status, brief.Text(fmt.Sprintf(format, args...), brief.Answer)}}})
}

func listServices(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	services, err := store.Services(r.Context())
	if err != nil {
		traces.StoreError(w, WriteError, err)
		return
	}
	write(w, slices.Sorted(maps.Keys(services)))
}

func serviceOperations(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	services, err := store.Services(r.Context())
	if err != nil {
		traces.StoreError(w, WriteError, err)
		return
	}
	write(w, services[rest.PathParam(r, "service")])
}

type operationView struct {
	Name string `json:"name"`
	Kind string `json:"spanKind"` // always "", as the index does not have it
}

func listOperations(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	services, err := store.Services(r.Context())
	if err != nil {
		traces.StoreError(w, WriteError, err)
		return
	}
	var list []operationView
	for _, name := range services[r.URL.Query().Get("service")] {
		list = append(list, operationView{Name: name})
	}
	write(w, list)
}

// maxBytes bounds the spans of one answer, in bytes of OTLP.
const maxBytes = 16 << 20

// search finds traces by a query, or by the IDs in traceID.
func search(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	values := r.URL.Query()
	names := values["traceID"]
	if len(names) == 0 {
		query, err := parseQuery(values)
		if err != nil {
			WriteError(w, http.StatusBadRequest, "%v.", err)
			return
		}
		result, err := store.Search(r.Context(), query)
		if err != nil {
			traces.StoreError(w, WriteError, err)
			return
		}
		for _, summary := range result.Traces {
			names = append(names, summary.TraceID)
		}
	}
	if len(names) > tracestore.MaxLimit {
		WriteError(w, http.StatusBadRequest, "%d trace IDs are too many: ask for at most %d.", len(names), tracestore.MaxLimit)
		return
	}
	ids := make([]pcommon.TraceID, len(names))
	for i, name := range names {
		id, err := rest.ParseTraceID(name)
		if err != nil {
			WriteError(w, http.StatusBadRequest, "%v.", err)
			return
		}
		ids[i] = id
	}
	writeTraces(w, r, store, ids)
}

// writeTraces answers with the stored ones of the traces, and has one at a time in memory. If it can show the first but not
// another, it answers with fewer traces and an entry in the errors.
func writeTraces(w http.ResponseWriter, r *http.Request, store tracestore.Reader, ids []pcommon.TraceID) {
	var first *traces.Shown
	var err error
	for first == nil && len(ids) > 0 { // it may have expired since it was found
		if first, err = traces.Load(r.Context(), store, ids[0]); err != nil {
			traces.StoreError(w, WriteError, err)
			return
		}
		ids = ids[1:]
	}
	p := rest.NewPage(w)
	total, spans, size := 0, 0, 0
	p.Object(func() {
		p.Key("data").Array(func() {
			for shown := first; shown != nil; {
				writeTrace(p, shown.Trace)
				total, spans, size = total+1, spans+len(shown.Trace.Spans), size+shown.Bytes
				shown = nil
				for shown == nil && err == nil && len(ids) > 0 && spans < rest.MaxSpans && size < maxBytes && !p.Full() {
					shown, err = traces.Load(r.Context(), store, ids[0])
					ids = ids[1:]
				}
			}
		})
		var errs []errorView
		if err != nil {
			errs = []errorView{{http.StatusServiceUnavailable, brief.Text(err.Error(), brief.Answer)}}
		}
		p.Key("total").Int(int64(total))
		p.Key("limit").Int(0)
		p.Key("offset").Int(0)
		p.Key("errors").Any(errs)
	})
	_ = p.Close() // fails only where nobody reads the answer
}

func getTrace(w http.ResponseWriter, r *http.Request, store tracestore.Reader) {
	id, err := rest.ParseTraceID(rest.PathParam(r, "trace_id"))
	if err != nil {
		WriteError(w, http.StatusBadRequest, "%v.", err)
		return
	}
	shown, err := traces.Load(r.Context(), store, id)
	switch {
	case err != nil:
		traces.StoreError(w, WriteError, err)
	case shown == nil:
		WriteError(w, http.StatusNotFound, traces.NotStored, id)
	default:
		p := rest.NewPage(w)
		p.Object(func() {
			p.Key("data").Array(func() { writeTrace(p, shown.Trace) })
			p.Key("total").Int(1)
			p.Key("limit").Int(0)
			p.Key("offset").Int(0)
			p.Key("errors").Null()
		})
		_ = p.Close() // fails only where nobody reads the answer
	}
}
