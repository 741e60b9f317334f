package promapi

import (
	"context"
	"net/http"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/httputil"

	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/slo/tsdb/internal/bounds"
)

// door passes requests to handlers and sends their answers.
type door struct {
	gate    *gate.Gate
	limits  Limits
	refused func()
}

// free serves a handler that costs little.
func (d door) free(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		found, err := h(r)
		d.answer(w, r, found, err).send(w)
	}
}

// gated serves a handler in its turn. The request is read before it waits, and its answer is sent after its slot was given back:
// a slow client keeps none. The client's leaving ends it, waiting or not.
func (d door) gated(h costly) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = r.FormValue("query") // reads the body; what is wrong with it shows where its parameters are missed
		turn, err := d.gate.Enter(r.Context())
		if err != nil {
			d.refused()
			d.failed(w, err).send(w)
			return
		}
		defer turn.Leave()
		ctx, cancel := context.WithTimeout(r.Context(), d.limits.Time)
		defer cancel()
		turn.Serve(w, r.WithContext(ctx), httputil.CompressionHandler{Handler: http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) { d.compute(w, r, h, turn).send(w) },
		)}, nil)
	}
}

// compute answers a request, whose result has gone back to the engine when it returns.
func (d door) compute(w http.ResponseWriter, r *http.Request, h costly, turn *gate.Turn) reply {
	found, err := h(r, turn)
	if found.close != nil {
		defer found.close()
	}
	return d.answer(w, r, found, err)
}

// answer encodes the result of a handler.
func (d door) answer(w http.ResponseWriter, r *http.Request, found answer, err error) reply {
	switch {
	case err != nil:
		return d.failed(w, err)
	case found.data == nil:
		return reply{code: http.StatusNoContent}
	default:
		return d.respond(w, found, r.FormValue("query"))
	}
}

// reserve reserves the memory of the longest answer.
func (a *API) reserve(r *http.Request, turn *gate.Turn) error {
	return turn.Reserve(r.Context(), min(2*int64(a.settings.Limits.Response), turn.Memory()))
}

// parse holds an expression to its limits, and parses it.
func (a *API) parse(text string) (parser.Expr, error) {
	if err := bounds.Text(text, a.settings.Limits.Length); err != nil {
		return nil, err
	}
	return a.parser.ParseExpr(text)
}
