package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/slowburn/slowburn/processor/tailsampling"
)

// sampler is what tail_sampling shows of itself, and lets people do with its policies.
type sampler interface {
	Status() tailsampling.Status
	Cost() tailsampling.Cost
	Policies() tailsampling.Policies
	Reload(ctx context.Context) (tailsampling.Policies, error)
	Shadow() (tailsampling.ShadowStatus, bool)
	Promote() (tailsampling.Policies, error)
	Explain(id [16]byte) (tailsampling.Explanation, bool)
}

// withSampler answers with the processor, where there is one.
func withSampler(all *components, answer func(http.ResponseWriter, *http.Request, sampler)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, ok := find[sampler](all)
		if !ok {
			writeProblem(w, http.StatusNotFound, "No tail_sampling processor is running: name one in a traces pipeline.")
			return
		}
		answer(w, r, s)
	}
}

func getSamplingStatus(w http.ResponseWriter, _ *http.Request, s sampler) { writeJSON(w, s.Status()) }

func getSamplingCost(w http.ResponseWriter, _ *http.Request, s sampler) { writeJSON(w, s.Cost()) }

func getPolicies(w http.ResponseWriter, _ *http.Request, s sampler) { writeJSON(w, s.Policies()) }

func reloadPolicies(w http.ResponseWriter, r *http.Request, s sampler) {
	policies, err := s.Reload(r.Context())
	if err != nil {
		writeProblem(w, changeStatus(err), "The policies were not reloaded: %v.", err)
		return
	}
	writeJSON(w, policies)
}

func getShadow(w http.ResponseWriter, _ *http.Request, s sampler) {
	status, there := s.Shadow()
	if !there {
		writeProblem(w, http.StatusNotFound, "%s.", sentence(tailsampling.ErrNoShadow))
		return
	}
	writeJSON(w, status)
}

// sentence makes the text of an error one.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// promotion is the answer to a promotion.
type promotion struct {
	tailsampling.Policies
	Note string `json:"note"`
}

func promoteShadow(w http.ResponseWriter, _ *http.Request, s sampler) {
	policies, err := s.Promote()
	if err != nil {
		writeProblem(w, changeStatus(err), "The shadow was not promoted: %v.", err)
		return
	}
	writeJSON(w, promotion{policies, "The shadow's policies decide until the next reload or restart: to make it last, move them " +
		"from tail_sampling::shadow::policies to tail_sampling::policies in the configuration."})
}

// changeStatus is the status of a change to the policies that was not made.
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

// getDecision tells why a trace was kept or not. It asks every processor: a trace can come through any.
func getDecision(all *components) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text := pathParam(r, "trace_id")
		id, err := parseTraceID(text)
		if err != nil {
			writeProblem(w, http.StatusBadRequest, "%v.", err)
			return
		}
		samplers := findAll[sampler](all)
		if len(samplers) == 0 {
			writeProblem(w, http.StatusNotFound, "No tail_sampling processor is running: name one in a traces pipeline.")
			return
		}
		switch e, known := bestKnown(samplers, id); {
		case !known:
			writeProblem(w, http.StatusNotFound, "No trace %s is known: it never came here, or its decision was so long ago that it is "+
				"forgotten (see tail_sampling::explain and decision_cache).", id)
		case e.State == tailsampling.StateDecided:
			writeJSON(w, e)
		default:
			writeProblem(w, http.StatusNotFound, "%s", undecided(e))
		}
	}
}

// telling orders what is known of a trace by how much that tells.
var telling = []string{
	tailsampling.StateReading, tailsampling.StatePending, tailsampling.StateFaded, tailsampling.StateDecided,
}

// bestKnown asks every processor, and returns the answer that tells the most.
func bestKnown(samplers []sampler, id [16]byte) (best tailsampling.Explanation, known bool) {
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
		return "Nothing is known of traces yet: after a restart buffered spans are being read back. Ask again later."
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
	return fmt.Sprintf("The trace %s was %s%s at %s, and no more is remembered: so many were decided since (raise "+
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
