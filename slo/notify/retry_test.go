package notify

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRetryAfterOfAnAnswer(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "1": time.Second, "-5": 0, "120": 2 * time.Minute, "3600": time.Hour, "3601": time.Hour,
		"9223372036854775807": time.Hour, "soon": 0,
		"Sun, 01 Mar 2026 12:00:30 GMT": 30 * time.Second, "Sun, 01 Mar 2026 11:59:30 GMT": 0, "Mon, 01 Mar 2027 12:00:00 GMT": time.Hour,
	} {
		h := http.Header{}
		if header != "" {
			h.Set("Retry-After", header)
		}
		assert.Equal(t, want, retryAfter(h, now), header)
	}
}

func TestClassOfStatus(t *testing.T) {
	for status, want := range map[int]struct{ permanent, doubtful bool }{
		0: {}, 200: {}, 302: {}, 399: {}, 400: {permanent: true}, 401: {true, true}, 403: {true, true}, 404: {true, true}, 405: {permanent: true},
		407: {true, true}, 408: {}, 410: {permanent: true}, 422: {permanent: true}, 425: {}, 429: {}, 499: {permanent: true}, 500: {}, 503: {},
	} {
		assert.Equal(t, want.permanent, permanent(status), status)
		assert.Equal(t, want.doubtful, doubtful(status), status)
	}
}
