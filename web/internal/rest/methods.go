package rest

import (
	"net/http"
	"strings"
)

// NotAllowed answers requests whose methods a path does not take: it takes those given, of which the first is advised.
func NotAllowed(fail Failure, methods ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		fail(w, http.StatusMethodNotAllowed, "%s cannot be used on %s: use %s.", r.Method, r.URL.Path, methods[0])
	}
}
