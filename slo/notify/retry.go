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
	// maxRetryAfter bounds what a receiver may ask for: a mistaken year would be an alert lost.
	maxRetryAfter = time.Hour
	// maxDoubt is how long a receiver may give doubtful answers in a row before one is taken for its last word.
	maxDoubt = time.Hour
)

// backoff is how long to wait after so many failed attempts.
func backoff(attempts int) time.Duration { return retry.After(attempts, firstBackoff, maxBackoff) }

// longestBackoff is the full time.
func longestBackoff(attempts int) time.Duration {
	return retry.Full(attempts, firstBackoff, maxBackoff)
}

// retryAfter reads the header Retry-After, in seconds or as a date; 0 where there is none.
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

// doubtful reports whether the answer may not be the receiver's own: a proxy in front says so of a receiver that is being
// deployed, and everybody does while credentials are being rotated. A page must not be lost by a minute of that.
func doubtful(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusProxyAuthRequired:
		return true
	}
	return false
}

// permanent reports whether a retry would be answered the same.
func permanent(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status >= 400 && status < 500
}
