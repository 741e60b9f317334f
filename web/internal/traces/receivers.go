package traces

import (
	"net/http"
	"strings"

	"github.com/slowburn/slowburn/processor/otlp"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// endpointed is a receiver of OTLP.
type endpointed interface{ Endpoints() []otlp.Endpoint }

type endpointList struct {
	Endpoints []endpoint `json:"endpoints"`
}

// endpoint is where spans can be sent to.
type endpoint struct {
	Receiver string `json:"receiver"`
	Protocol string `json:"protocol"` // grpc or http
	Address  string `json:"address"`
	TLS      bool   `json:"tls"`
}

func listEndpoints(all *known.Components) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		list := endpointList{Endpoints: []endpoint{}}
		for _, c := range all.All() {
			if r, ok := c.Value.(endpointed); ok {
				for _, e := range r.Endpoints() {
					list.Endpoints = append(list.Endpoints, endpoint{c.ID.String(), strings.ToLower(e.Protocol), e.Address, e.TLS})
				}
			}
		}
		rest.WriteJSON(w, list)
	}
}
