package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/slowburn/slowburn/web/internal/rest"
)

// wholeBody reads a request's whole body before next runs. Meanwhile a slow client occupies only its connection. A body that is too
// large (web::max_request_body_size) or cut off is an error: handlers that parse forms would go on with a part of it.
func wholeBody(base string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			fail := rest.WriteProblem
			if strings.HasPrefix(r.URL.Path, base+"/api/v1/") {
				fail = writePrometheusError
			}
			if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
				fail(w, http.StatusRequestEntityTooLarge, "The request's body has more than %d bytes (web::max_request_body_size): ask for less.", large.Limit)
				return
			}
			fail(w, http.StatusBadRequest, "The request's body cannot be read: %v.", err)
			return
		}
		r = r.WithContext(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}
