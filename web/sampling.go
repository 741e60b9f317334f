package web

import (
	"net/http"

	"github.com/slowburn/slowburn/processor/tailsampling"
)

// sampler is what tail_sampling shows of itself.
type sampler interface {
	Status() tailsampling.Status
}

func getSamplingStatus(all *components) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		s, ok := find[sampler](all)
		if !ok {
			writeProblem(w, http.StatusNotFound, "No tail_sampling processor is running: name one in a traces pipeline.")
			return
		}
		writeJSON(w, s.Status())
	}
}
