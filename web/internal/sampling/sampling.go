package sampling

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// Sampler is what tail_sampling shows of itself, and lets people do with its policies.
type Sampler interface {
	Status() tailsampling.Status
	Cost() tailsampling.Cost
	Policies() tailsampling.Policies
	Reload(ctx context.Context) (tailsampling.Policies, error)
	Shadow() (tailsampling.ShadowStatus, bool)
	Promote() (tailsampling.Policies, error)
	Explain(id [16]byte) (tailsampling.Explanation, bool)
}

const noSampler = "No tail_sampling processor is running: name one in a traces pipeline."

// with calls answer with the processor, or answers with what to do if there is none.
func with(all *known.Components, answer func(http.ResponseWriter, *http.Request, Sampler)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, ok := known.Find[Sampler](all)
		if !ok {
			rest.WriteProblem(w, http.StatusNotFound, noSampler)
			return
		}
		answer(w, r, s)
	}
}

func getStatus(w http.ResponseWriter, _ *http.Request, s Sampler) {
	rest.WriteJSON(w, api.SamplingStatusOf(s.Status()))
}

func getCost(w http.ResponseWriter, _ *http.Request, s Sampler) {
	rest.WriteJSON(w, api.SamplingCostOf(s.Cost()))
}

func getPolicies(w http.ResponseWriter, _ *http.Request, s Sampler) {
	rest.WriteJSON(w, api.PoliciesOf(s.Policies()))
}

func reloadPolicies(w http.ResponseWriter, r *http.Request, s Sampler) {
	policies, err := s.Reload(r.Context())
	if err != nil {
		rest.WriteProblem(w, changeStatus(err), "The policies were not reloaded: %v.", err)
		return
	}
	rest.WriteJSON(w, api.PoliciesOf(policies))
}

func getShadow(w http.ResponseWriter, _ *http.Request, s Sampler) {
	status, there := s.Shadow()
	if !there {
		rest.WriteProblem(w, http.StatusNotFound, "%s.", sentence(tailsampling.ErrNoShadow))
		return
	}
	rest.WriteJSON(w, api.ShadowOf(status))
}

// sentence returns the text of an error as a sentence.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

func promoteShadow(w http.ResponseWriter, _ *http.Request, s Sampler) {
	policies, err := s.Promote()
	if err != nil {
		rest.WriteProblem(w, changeStatus(err), "The shadow was not promoted: %v.", err)
		return
	}
	answer := api.PoliciesOf(policies)
	answer.Note = "The shadow's policies decide until the next reload or restart: to make it last, move them " +
		"from tail_sampling::shadow::policies to tail_sampling::policies in the configuration."
	rest.WriteJSON(w, answer)
}

// changeStatus returns the HTTP status for a failed change of the policies.
func changeStatus(err error) int {
	switch {
	case errors.Is(err, tailsampling.ErrInvalid):
		return http.StatusUnprocessableEntity
	case errors.Is(err, tailsampling.ErrNoShadow), errors.Is(err, tailsampling.ErrNoSource):
		return http.StatusConflict
	default:
		return http.StatusServiceUnavailable
	}
}
