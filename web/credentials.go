package web

import "net/http"

// withoutParams takes from a request's query the parameters that were read already: credentials (web::auth::request_params)
// are no parameters of what is asked for.
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
