package sampling

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// getDecision tells why a trace was kept or not. It asks every processor: a trace can come through any.
func getDecision(all *known.Components) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text := rest.PathParam(r, "trace_id")
		id, err := rest.ParseTraceID(text)
		if err != nil {
			rest.WriteProblem(w, http.StatusBadRequest, "%v.", err)
			return
		}
		samplers := known.FindAll[Sampler](all)
		if len(samplers) == 0 {
			rest.WriteProblem(w, http.StatusNotFound, noSampler)
			return
		}
		switch e, known := bestKnown(samplers, id); {
		case !known:
			rest.WriteProblem(w, http.StatusNotFound, "No trace %s is known: it never came here, or its decision was so long ago that it is "+
				"forgotten (see tail_sampling::explain and decision_cache).", id)
		case e.State == tailsampling.StateDecided:
			rest.WriteJSON(w, api.DecisionOf(e))
		default:
			rest.WriteProblem(w, http.StatusNotFound, "%s", undecided(e))
		}
	}
}

// telling orders what is known of a trace by how much that tells.
var telling = []string{
	tailsampling.StateReading, tailsampling.StatePending, tailsampling.StateFaded, tailsampling.StateDecided,
}

// bestKnown asks every processor, and returns the most informative answer.
func bestKnown(samplers []Sampler, id [16]byte) (best tailsampling.Explanation, known bool) {
	for _, s := range samplers {
		e, ok := s.Explain(id)
		if ok && (!known || slices.Index(telling, e.State) > slices.Index(telling, best.State)) {
			best, known = e, true
		}
	}
	return best, known
}

// undecided says what is known of a trace about whose decision nothing is known, not yet or not any more.
func undecided(e tailsampling.Explanation) string {
	switch e.State {
	case tailsampling.StateReading:
		return "Traces are not known yet: buffered spans are being read back after a restart. Ask again later."
	case tailsampling.StatePending:
		c := e.Complete
		return fmt.Sprintf("The trace %s is not decided yet: its first span came at %s, and so far it has %d spans of %d bytes, "+
			"the root %s, errors %s. Ask again later.", e.TraceID, e.FirstSpanAt.Format(time.RFC3339Nano), c.Spans, c.Bytes,
			yesNo(c.RootSeen), yesNo(c.Errors))
	}
	by := ""
	if e.Policy != "" {
		by = fmt.Sprintf(" by the policy %q", e.Policy)
	}
	return fmt.Sprintf("The trace %s was %s%s at %s. More is not remembered: too many were decided since (raise "+
		"tail_sampling::explain::decisions), or the gateway was restarted.",
		e.TraceID, verdicts[e.Verdict], by, e.DecidedAt.Format(time.RFC3339))
}

// verdicts are those of tail_sampling, in a sentence.
var verdicts = map[string]string{"sampled": "sampled", "not_sampled": "not sampled", "dropped": "dropped"}

func yesNo(b bool) string {
	if b {
		return "included"
	}
	return "not included"
}
