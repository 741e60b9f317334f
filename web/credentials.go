package web

import "net/http"

// withoutParams removes credentials (web::auth::request_params) from a request's query: authentication has read them, and
// handlers must not take them for parameters of their own.
func withoutParams(names []string, next http.Handler) http.Handler {
	if len(names) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		values := r.URL.Query()
		for _, name := range names {
			values.Del(name)
		}
		stripped := *r.URL
		stripped.RawQuery = values.Encode()
		r = r.WithContext(r.Context())
		r.URL = &stripped
		next.ServeHTTP(w, r)
	})
}
