package notify

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
)

// A damaged delivery is an error of each function that reads it.
func TestDamagedDelivery(t *testing.T) {
	for name, use := range map[string]struct {
		bucket string
		f      func(tx *bbolt.Tx) error
	}{
		"next":         {pendingBucket, func(tx *bbolt.Tx) error { _, found, err := nextDue(tx, "r", later); assert.False(t, found); return err }},
		"list pending": {pendingBucket, func(tx *bbolt.Tx) error { all, err := List(tx, 10); assert.Empty(t, all); return err }},
		"list done":    {doneBucket, func(tx *bbolt.Tx) error { all, err := List(tx, 10); assert.Empty(t, all); return err }},
		"abandon":      {pendingBucket, func(tx *bbolt.Tx) error { n, err := Abandon(tx, nil, starts); assert.Zero(t, n); return err }},
		"prune":        {doneBucket, func(tx *bbolt.Tx) error { return Prune(tx, starts) }},
	} {
		t.Run(name, func(t *testing.T) {
			db := newDB(t)
			require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
				require.NoError(t, tx.Bucket([]byte(use.bucket)).Put(pendingKey("r", 7), []byte("odd")))
				require.ErrorIs(t, use.f(tx), state.ErrCorrupt)
				return nil
			}))
		})
	}
}

// backoff doubles from one second to five minutes; a delay is random between half of that and all of it, for any number of attempts.
func TestBackoff(t *testing.T) {
	for attempts, full := range map[int]time.Duration{
		0: time.Second, 1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 9: 256 * time.Second,
		10: maxBackoff, 11: maxBackoff, 100: maxBackoff, 1 << 40: maxBackoff,
	} {
		low, high := full, time.Duration(0)
		for range 2000 {
			d := backoff(attempts)
			low, high = min(low, d), max(high, d)
		}
		assert.True(t, low >= full/2 && low < full*6/10, "%d: %s", attempts, low)
		assert.True(t, high <= full && high > full*9/10, "%d: %s", attempts, high)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "soon": 0, "0": 0, "-5": 0, "1": time.Second, "90": 90 * time.Second, "3600": time.Hour, "3601": time.Hour,
		"9223372036854775807": time.Hour, "9223372036854775808": 0,
		"Sun, 01 Mar 2026 12:01:00 GMT": time.Minute, "Sun, 01 Mar 2026 11:00:00 GMT": 0, "Sun, 01 Mar 2027 12:00:00 GMT": time.Hour,
	} {
		assert.Equal(t, want, retryAfter(http.Header{"Retry-After": {header}}, now), header)
	}
}

// A Sender without pending deliveries sleeps, and does not poll the file.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDB(t)
		s := newSender(db, (&fake{}).receiver("r"))
		wait, err := s.step(t.Context(), s.Receivers[0])
		require.NoError(t, err)
		assert.Equal(t, idleWait, wait)

		enqueue(t, db, "r", "o", alert.Fired)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wait, err = s.step(ctx, s.Receivers[0])
		require.NoError(t, err)
		assert.Equal(t, idleWait, wait, "an attempt that was cut off is not repeated at once")
		assert.Equal(t, Pending, list(t, db)[0].State)
		assert.Zero(t, list(t, db)[0].Attempts)
	})
}

func TestProblems(t *testing.T) {
	good := Config{Name: "r", Severities: []slo.Severity{slo.Page}}
	good.Webhook.Endpoint, good.Webhook.Timeout = "https://x/hook", time.Nanosecond
	require.NoError(t, good.Problems())
	for want, change := range map[string]func(*Config){
		"webhook::timeout: is not above 0": func(c *Config) { c.Webhook.Timeout = 0 },
		"webhook::endpoint: \"ftp://x\"":   func(c *Config) { c.Webhook.Endpoint = "ftp://x" },
		"webhook::endpoint: \"http:///x\"": func(c *Config) { c.Webhook.Endpoint = "http:///x" },
		"name: \"\" is no name":            func(c *Config) { c.Name = "" },
		"severities: is empty":             func(c *Config) { c.Severities = nil },
		"severities[1]: \"loud\"":          func(c *Config) { c.Severities = []slo.Severity{slo.Page, "loud"} },
	} {
		c := good
		change(&c)
		require.ErrorContains(t, c.Problems(), want)
	}
}
