package sampling

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// Deliverer is what tail_sampling shows of the destinations of kept traces.
type Deliverer interface {
	// Destinations returns the state of delivery, and the refused traces.
	Destinations() tailsampling.Destinations
	// RetryRefused sends a refused trace again to a destination, or to all that refused it if destination is empty, and
	// returns how many refusals that undid. Where id is nil it is all traces that were refused until now.
	RetryRefused(id *[16]byte, destination string) (traces int)
}

// deliverers answers with every processor that delivers, where there is one: a trace can come through any.
func deliverers(all *known.Components, answer func(http.ResponseWriter, *http.Request, []Deliverer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		list := known.FindAll[Deliverer](all)
		if len(list) == 0 {
			rest.WriteProblem(w, http.StatusNotFound, noSampler)
			return
		}
		answer(w, r, list)
	}
}

func getDestinations(w http.ResponseWriter, _ *http.Request, list []Deliverer) {
	rest.WriteJSON(w, api.DestinationsOf(together(list)))
}

// together adds up what the processors say: budgets of different processors are different bytes.
func together(list []Deliverer) tailsampling.Destinations {
	var sum tailsampling.Destinations
	for i, d := range list {
		one := d.Destinations()
		sum.Destinations = append(sum.Destinations, one.Destinations...)
		sum.Refused = append(sum.Refused, one.Refused...)
		sum.RefusedTotal += one.RefusedTotal
		sum.BudgetBytes += one.BudgetBytes
		sum.UsedBytes += one.UsedBytes
		if i == 0 {
			sum.WhenFull = one.WhenFull
		}
	}
	slices.SortStableFunc(sum.Refused, func(a, b tailsampling.RefusedTrace) int { return b.At.Compare(a.At) })
	return sum
}

func retryRefused(w http.ResponseWriter, r *http.Request, list []Deliverer) {
	id, err := rest.ParseTraceID(rest.PathParam(r, "trace_id"))
	params := rest.Params{Values: r.URL.Query(), Err: err}
	params.Only("destination")
	if params.Err != nil {
		rest.WriteProblem(w, http.StatusBadRequest, "%v.", params.Err)
		return
	}
	destination := params.Values.Get("destination")
	n := 0
	for _, d := range list {
		n += d.RetryRefused((*[16]byte)(&id), destination)
	}
	if n == 0 {
		rest.WriteProblem(w, http.StatusNotFound, "%s", notRefused(id, destination, together(list).Destinations))
		return
	}
	rest.WriteJSON(w, api.Retried{Traces: n})
}

// retryAllRefused answers 0 where nothing is refused, which is no error.
func retryAllRefused(w http.ResponseWriter, r *http.Request, list []Deliverer) {
	params := rest.Params{Values: r.URL.Query()}
	params.Only("destination")
	if params.Err != nil {
		rest.WriteProblem(w, http.StatusBadRequest, "%v.", params.Err)
		return
	}
	destination := params.Values.Get("destination")
	if unknown := notThere(destination, together(list).Destinations); unknown != "" {
		rest.WriteProblem(w, http.StatusNotFound, "%s", unknown)
		return
	}
	n := 0
	for _, d := range list {
		n += d.RetryRefused(nil, destination)
	}
	rest.WriteJSON(w, api.Retried{Traces: n})
}

// notThere says that a destination does not exist; "" where it does, or none is named.
func notThere(destination string, there []tailsampling.Destination) string {
	var names []string
	for _, d := range there {
		names = append(names, d.Destination)
	}
	if destination == "" || slices.Contains(names, destination) {
		return ""
	}
	slices.Sort(names)
	return fmt.Sprintf("There is no destination %q: there are %s.", destination, cmp.Or(strings.Join(slices.Compact(names), ", "), "none"))
}

// notRefused says why there is nothing to send again.
func notRefused(id pcommon.TraceID, destination string, there []tailsampling.Destination) string {
	if unknown := notThere(destination, there); unknown != "" {
		return unknown
	}
	who := "No destination refuses"
	if destination != "" {
		who = "The destination " + destination + " does not refuse"
	}
	return fmt.Sprintf("%s the trace %s: it was not refused, was sent again already, or was given up since, as "+
		"tail_sampling::delivery_budget was used up.", who, id)
}
