package traces

import (
	"net/http"
	"strings"

	"github.com/slowburn/slowburn/processor/otlp"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// endpointed is a receiver of OTLP.
type endpointed interface{ Endpoints() []otlp.Endpoint }

func listEndpoints(all *known.Components) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		list := api.Endpoints{Endpoints: []api.Endpoint{}}
		for _, c := range all.All() {
			if r, ok := c.Value.(endpointed); ok {
				for _, e := range r.Endpoints() {
					list.Endpoints = append(list.Endpoints, api.Endpoint{
						Receiver: c.ID.String(), Protocol: strings.ToLower(e.Protocol), Address: e.Address, TLS: e.TLS,
					})
				}
			}
		}
		rest.WriteJSON(w, list)
	}
}
