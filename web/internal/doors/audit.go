package doors

import (
	"net/http"
	"sync"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/go-chi/chi/v5/middleware"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
)

// again is how long a line that repeats the previous one is left out: a program that polls, such as `slowburn drain`, is logged
// once.
const again = 10 * time.Second

// audit logs who changed what, a line each. Its lock is held while it compares.
type audit struct {
	logger *zap.Logger

	mu   sync.Mutex
	last entry
	at   time.Time
}

// entry is a line of the log.
type entry struct {
	subject, address, action string
	status                   int
}

// taken serves a change and logs its result, also after a panic.
func (a *audit) taken(w http.ResponseWriter, r *http.Request, c api.Caller, next http.Handler) {
	tracked := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
	ended := false
	defer func() {
		status := tracked.Status()
		switch {
		case !ended:
			status = http.StatusInternalServerError
		case status == 0:
			status = http.StatusOK
		}
		a.log(r, c, status)
	}()
	next.ServeHTTP(tracked, r)
	ended = true
}

// log logs a change that was made or failed, or that was refused because the caller is no operator.
func (a *audit) log(r *http.Request, c api.Caller, status int) {
	e := entry{c.Subject, hostname(c.Address), r.Method + " " + cut(r.URL.Path, maxShown), status}
	if !a.news(e) {
		return
	}
	fields := []zap.Field{
		zap.String("subject", cut(e.subject, maxShown)), zap.String("address", c.Address), zap.String("action", e.action),
		zap.Int("status", status), zap.String("result", result(status)),
	}
	if by := r.Header.Get("X-Forwarded-For"); by != "" {
		fields = append(fields, zap.String("forwarded_for", cut(by, maxShown)))
	}
	if !c.Operator { // one message: the Collector's log samples messages, so that nobody can fill it
		a.logger.Warn("change refused", fields...)
		return
	}
	a.logger.Info("change requested: "+e.action, fields...)
}

// news reports whether a line differs from the previous one, or the previous one is older than again.
func (a *audit) news(e entry) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := clock.Now()
	if e == a.last && now.Sub(a.at) < again {
		return false
	}
	a.last, a.at = e, now
	return true
}

// result describes a status.
func result(status int) string {
	switch {
	case status < http.StatusBadRequest:
		return "done"
	case status == http.StatusForbidden, status == http.StatusMisdirectedRequest:
		return "refused"
	default:
		return "failed"
	}
}
