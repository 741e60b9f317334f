package web

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/go-chi/chi/v5/middleware"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/web/internal/rest"
)

// How much of what a request brought about is logged, in bytes.
const (
	maxShown = 256
	maxPanic = 1 << 10
	maxStack = 8 << 10
)

// recoverer answers a request whose handler panics with a problem document, and logs the place. If a part of the answer is
// sent already, it aborts the connection: half an answer must not look whole.
func recoverer(log *zap.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			tracked := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			defer func() {
				p := recover()
				if p == nil {
					return
				}
				if p == http.ErrAbortHandler { //nolint:errorlint // the very value is the convention
					panic(p)
				}
				log.Error("request to the dashboard failed: please report this",
					zap.String("method", short(r.Method, maxShown)), zap.String("path", short(r.URL.Path, maxShown)),
					zap.String("panic", short(fmt.Sprint(p), maxPanic)), zap.String("stack", short(string(debug.Stack()), maxStack)))
				if tracked.Status() != 0 {
					panic(http.ErrAbortHandler)
				}
				rest.WriteProblem(tracked, http.StatusInternalServerError, "The request failed by a defect of slowburn: please report it, with the error in the gateway's log.")
			}()
			next.ServeHTTP(tracked, r)
		})
	}
}

// short returns a text of at most limit bytes, with a mark if it was longer.
func short(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
