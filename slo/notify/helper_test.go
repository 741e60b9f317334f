package notify

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openDB(t *testing.T, path string) *state.DB {
	t.Helper()
	db, err := state.Open(path, state.Options{Buckets: Buckets})
	require.NoError(t, err)
	return db
}

func newDB(t *testing.T) *state.DB {
	t.Helper()
	db := openDB(t, filepath.Join(t.TempDir(), "slo.db"))
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

var starts = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// later is when every pending delivery is due.
var later = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// sample returns the alert of an objective after n notices.
func sample(objective string, seq uint64) alert.Alert {
	return alert.Alert{
		ID: alert.Fingerprint(objective) + "-1", Objective: objective, Service: "checkout", State: alert.Firing,
		Severity: slo.Page, StartsAt: starts, UpdatedAt: starts, Seq: seq, Summary: objective + " burns.",
		Labels:      map[string]string{"alertname": alert.Name, "objective": objective, "severity": "page"},
		Annotations: map[string]string{"summary": objective + " burns.", "dashboard": "http://x/objectives/" + objective},
	}
}

// enqueue puts the notices of an objective into the outbox, each in a transaction of its own.
func enqueue(t *testing.T, db *state.DB, receiver, objective string, kinds ...alert.Transition) {
	t.Helper()
	for i, kind := range kinds {
		a := sample(objective, uint64(i+1))
		if kind == alert.Ended {
			a.State, a.EndsAt, a.UpdatedAt = alert.Resolved, starts.Add(time.Hour), starts.Add(time.Hour)
		}
		d, err := New(a, alert.Notice{Receiver: receiver, Kind: kind, Severity: slo.Page}, "http://x", time.Now())
		require.NoError(t, err)
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error { return Put(tx, d) }))
	}
}

func list(t *testing.T, db *state.DB) (all []Delivery) {
	t.Helper()
	require.NoError(t, db.View(func(tx *bbolt.Tx) (err error) {
		all, err = List(tx, 1000)
		return err
	}))
	return all
}

// call is a request that a fake receiver got.
type call struct {
	at  time.Time
	key string
	msg message
}

// fake is a receiver without a network, for synctest. It answers with the statuses in turn and then with 200; 0 is a failed connection.
type fake struct {
	mu       sync.Mutex
	statuses []int
	header   http.Header
	calls    []call
	hang     bool
}

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := call{at: time.Now(), key: r.Header.Get("Idempotency-Key")}
	if err := json.NewDecoder(r.Body).Decode(&c.msg); err != nil {
		return nil, err
	}
	f.calls = append(f.calls, c)
	status := 200
	if len(f.statuses) > 0 {
		status, f.statuses = f.statuses[0], f.statuses[1:]
	}
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	header := f.header
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: header,
		Body: io.NopCloser(strings.NewReader("because")), Request: r}, nil
}

// answer appends statuses.
func (f *fake) answer(statuses ...int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.statuses = append(f.statuses, statuses...)
}

func (f *fake) got() []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]call(nil), f.calls...)
}

func (f *fake) receiver(name string) Receiver {
	return Receiver{Name: name, URL: "http://" + name + "/hook", Client: &http.Client{Transport: f, Timeout: defaultTimeout}}
}

func newSender(db *state.DB, receivers ...Receiver) *Sender {
	return NewSender(Settings{DB: db, Receivers: receivers, Logger: zap.NewNop()})
}
