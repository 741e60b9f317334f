package notify

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestBackoff holds that a wait is between half of the full time and all of it, and spread over that.
func TestBackoffByAttempt(t *testing.T) {
	for attempts, full := range map[int]time.Duration{
		-1: time.Second, 0: time.Second, 1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 8: 128 * time.Second, 9: 256 * time.Second,
		10: 5 * time.Minute, 11: 5 * time.Minute, 64: 5 * time.Minute, 1000: 5 * time.Minute,
	} {
		low, high := full, time.Duration(0)
		for range 1000 {
			d := backoff(attempts)
			low, high = min(low, d), max(high, d)
		}
		assert.GreaterOrEqual(t, low, full/2, attempts)
		assert.LessOrEqual(t, high, full, attempts)
		assert.Less(t, low, full*55/100, attempts)
		assert.Greater(t, high, full*95/100, attempts)
	}
}

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

func TestWhatAStatusMeans(t *testing.T) {
	for status, want := range map[int]struct{ permanent, doubtful bool }{
		0: {}, 200: {}, 302: {}, 399: {}, 400: {permanent: true}, 401: {true, true}, 403: {true, true}, 404: {true, true}, 405: {permanent: true},
		407: {true, true}, 408: {}, 410: {permanent: true}, 422: {permanent: true}, 425: {}, 429: {}, 499: {permanent: true}, 500: {}, 503: {},
	} {
		assert.Equal(t, want.permanent, permanent(status), status)
		assert.Equal(t, want.doubtful, doubtful(status), status)
	}
}
