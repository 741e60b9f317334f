package sampling

import (
	"net/http"

	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// Drainer drains tail_sampling before its node is taken out of service.
type Drainer interface {
	// StartDrain stops accepting spans, decides the buffered traces, and returns what is left. Further calls continue the drain.
	StartDrain() tailsampling.DrainState
	// StopDrain accepts spans again.
	StopDrain() tailsampling.DrainState
}

// drainers has every processor do it, where there is one, and answers with what is left in all of them.
func drainers(all *known.Components, do func(Drainer) tailsampling.DrainState) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		list := known.FindAll[Drainer](all)
		if len(list) == 0 {
			rest.WriteProblem(w, http.StatusNotFound, noSampler)
			return
		}
		sum := tailsampling.DrainState{Draining: true, Done: true}
		for _, d := range list {
			add(&sum, do(d))
		}
		rest.WriteJSON(w, api.DrainOf(sum))
	}
}

// add adds what is left in another processor: all of them have to be done.
func add(sum *tailsampling.DrainState, s tailsampling.DrainState) {
	sum.Draining = sum.Draining && s.Draining
	sum.Done = sum.Done && s.Done
	sum.Reading = sum.Reading || s.Reading
	if sum.Since == nil || s.Since != nil && s.Since.Before(*sum.Since) {
		sum.Since = s.Since
	}
	sum.UndecidedTraces += s.UndecidedTraces
	sum.UndeliveredTraces += s.UndeliveredTraces
	sum.Destinations = append(sum.Destinations, s.Destinations...)
}
