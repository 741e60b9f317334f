package rest

import (
	"net/http"
	"strings"
)

// NotAllowed answers requests with methods other than these. The answer advises the first.
func NotAllowed(fail Failure, methods ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		fail(w, http.StatusMethodNotAllowed, "%s cannot be used on %s: use %s.", r.Method, r.URL.Path, methods[0])
	}
}
