package notify

import (
	"net/http"
	"strconv"
	"time"

	"github.com/slowburn/slowburn/internal/retry"
)

const (
	firstBackoff = time.Second
	maxBackoff   = 5 * time.Minute
	// maxRetryAfter bounds the Retry-After that a receiver may ask for: a mistaken year would lose the alert.
	maxRetryAfter = time.Hour
	// maxDoubt is how long a receiver may give nothing but doubtful answers before one counts as permanent.
	maxDoubt = time.Hour
)

// backoff returns how long to wait after a number of failed attempts, with jitter.
func backoff(attempts int) time.Duration { return retry.After(attempts, firstBackoff, maxBackoff) }

// longestBackoff is backoff without jitter.
func longestBackoff(attempts int) time.Duration {
	return retry.Full(attempts, firstBackoff, maxBackoff)
}

// retryAfter parses the header Retry-After, in seconds or as a date; 0 without one.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	var d time.Duration
	if s, err := strconv.ParseInt(v, 10, 64); err == nil {
		d = time.Duration(min(s, int64(maxRetryAfter/time.Second))) * time.Second
	} else if t, err := http.ParseTime(v); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}

// doubtful reports whether the answer may come from a proxy rather than the receiver, as during its deployment, or may be due
// to a rotation of credentials. A minute of that must not lose a page.
func doubtful(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusProxyAuthRequired:
		return true
	}
	return false
}

// permanent reports whether a retry would get the same answer.
func permanent(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status >= 400 && status < 500
}
