package objectives

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/slo/ledger/parts"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
)

func getBreakdown(all *known.Components) http.HandlerFunc {
	return with(all, func(w http.ResponseWriter, r *http.Request, e engine.Reader) {
		p := rest.Params{Values: r.URL.Query()}
		p.Only("by", "start", "end")
		by := dimensions(&p)
		start, end := p.Time("start", time.Time{}), p.Time("end", time.Time{})
		if p.Err != nil {
			rest.WriteProblem(w, http.StatusBadRequest, "%v.", p.Err)
			return
		}
		b, err := e.Breakdown(rest.PathParam(r, "name"), start, end, by)
		if err != nil {
			writeEngineError(w, err)
			return
		}
		rest.WriteJSON(w, api.BreakdownOf(b))
	})
}

// dimensions returns those of the parameter by: names separated by commas. The default is the version.
func dimensions(p *rest.Params) []parts.Dimension {
	text := p.Values.Get("by")
	if text == "" {
		return []parts.Dimension{parts.Version}
	}
	var by []parts.Dimension
	for name := range strings.SplitSeq(text, ",") {
		d := parts.Dimension(strings.TrimSpace(name))
		if !slices.Contains(parts.Dimensions, d) || slices.Contains(by, d) {
			p.Fail("by", text, "one or several of service, operation, version and reason, once each, separated by commas")
			return nil
		}
		by = append(by, d)
	}
	return by
}
