package web

import (
	"io/fs"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/klauspost/compress/gzhttp"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/dashboard"
	"github.com/slowburn/slowburn/web/internal/doors"
	"github.com/slowburn/slowburn/web/internal/health"
	"github.com/slowburn/slowburn/web/internal/jaeger"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/objectives"
	"github.com/slowburn/slowburn/web/internal/reads"
	"github.com/slowburn/slowburn/web/internal/rest"
	"github.com/slowburn/slowburn/web/internal/sampling"
	"github.com/slowburn/slowburn/web/internal/traces"
)

// newHandler is all that is served: the routes below base, with their answers compressed for clients that want it.
func newHandler(all *known.Components, limits *reads.Limits, self http.Handler, files fs.FS, base string, log *zap.Logger) (http.Handler, error) {
	pages, err := dashboard.New(files)
	if err != nil {
		return nil, err
	}
	compress, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false)) // an encoder of zstd holds megabytes per connection
	if err != nil {
		return nil, err
	}
	return compress(below(base, newRouter(all, limits, self, pages, log))), nil
}

// newRouter lays out every path; openapi.yaml describes them.
func newRouter(all *known.Components, limits *reads.Limits, self, pages http.Handler, log *zap.Logger) chi.Router {
	r := chi.NewRouter()
	r.Use(recoverer(log), middleware.GetHead)
	r.NotFound(nothingThere)
	r.MethodNotAllowed(notAllowed)

	r.Get("/healthz", health.Live)
	r.Get("/readyz", health.Ready(all, true))
	r.Get("/metrics", self.ServeHTTP)
	r.Get("/api/access/v1/me", doors.ServeCaller)
	r.Get("/api/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(api.OpenAPI)
	})
	r.Group(func(r chi.Router) {
		r.Use(limits.Costly(rest.WriteProblem))
		objectives.Routes(r, all)
		traces.Routes(r, all)
	})
	r.Group(func(r chi.Router) {
		r.Use(limits.Light(rest.WriteProblem))
		sampling.Routes(r, all)
		objectives.TraceRoutes(r, all)
	})
	r.Handle("/api/v1/*", prometheusAPI(all)) // with every method: it knows best
	r.Route("/jaeger/api", func(r chi.Router) {
		r.Use(limits.Costly(jaeger.WriteError))
		jaeger.Routes(r, all)
	})

	// Only GET: with all methods these would take requests from the routes above that have the wrong one.
	r.Get("/api/*", nothingThere)
	r.Get("/jaeger/*", nothingThere)
	r.Get("/*", pages.ServeHTTP)
	return r
}

func nothingThere(w http.ResponseWriter, r *http.Request) {
	if takesPost(r) {
		notAllowed(w, r)
		return
	}
	rest.WriteProblem(w, http.StatusNotFound, "There is nothing at %s: api/openapi.yaml lists what is there.", r.URL.Path)
}

// notAllowed answers methods that a route does not take: routes take GET, but for actions.
func notAllowed(w http.ResponseWriter, r *http.Request) {
	if takesPost(r) {
		rest.NotAllowed(rest.WriteProblem, http.MethodPost)(w, r)
		return
	}
	rest.NotAllowed(rest.WriteProblem, http.MethodGet, http.MethodHead)(w, r)
}

// takesPost reports whether the path is an action's.
func takesPost(r *http.Request) bool {
	return chi.RouteContext(r.Context()).Routes.Match(chi.NewRouteContext(), http.MethodPost, r.URL.Path)
}

// below serves next below the path base.
func below(base string, next http.Handler) http.Handler {
	if base == "" {
		return next
	}
	stripped := http.StripPrefix(base, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.EscapedPath(); {
		case strings.HasPrefix(path, base+"/"):
			stripped.ServeHTTP(w, r)
		case path == "/healthz" || path == "/readyz" || path == "/metrics": // asked of the process, not of the proxy in front of it
			next.ServeHTTP(w, r)
		case path == "/" || path == base: // the pages link relatively, so the slash matters
			http.Redirect(w, r, base+"/", http.StatusFound)
		default:
			rest.WriteProblem(w, http.StatusNotFound, "There is nothing at %s: everything is below %s/ (web::base_path).", r.URL.Path, base)
		}
	})
}
