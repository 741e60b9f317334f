package reads_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/web/internal/reads"
	"github.com/slowburn/slowburn/web/internal/rest"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limits returns limits of one request at a time, and a number that wait.
func limits(t *testing.T, waiting int) *reads.Limits {
	config := reads.Default()
	config.Queue = waiting
	require.NoError(t, config.Validate())
	l, err := reads.New(config, gate.NewSlots(1))
	require.NoError(t, err)
	return l
}

func ask(ctx context.Context, h http.Handler) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	return w
}

func TestValidate(t *testing.T) {
	err := (&reads.Config{Queue: -1, Memory: 1}).Validate()
	for _, key := range []string{"queue:", "queue_timeout:", "memory:", "timeout:"} {
		require.ErrorContains(t, err, key)
	}
	require.NoError(t, func() error { c := reads.Default(); return c.Validate() }())
}

// TestRefused: a request that finds the queue full gets a retry delay; a client that disconnects leaves the queue; a waiting one
// gets its turn.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits(t, 1)
		finish := make(chan bool)
		h := l.Costly(rest.WriteProblem)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-finish:
				_, _ = w.Write([]byte("done"))
			case <-r.Context().Done():
				reads.Refuse(w, rest.WriteProblem, r.Context().Err())
			}
		}))
		codes := make(chan int)
		go func() { codes <- ask(t.Context(), h).Code }()
		synctest.Wait()
		leaving, leave := context.WithCancel(t.Context())
		go func() { codes <- ask(leaving, h).Code }()
		synctest.Wait()
		assert.Equal(t, gate.State{Running: 1, Waiting: 1}, l.State())

		w := ask(t.Context(), h)
		webtest.RequireProblem(t, w, http.StatusServiceUnavailable, "The dashboard is busy")
		assert.Equal(t, "2", w.Header().Get("Retry-After"))
		leave()
		assert.Equal(t, http.StatusServiceUnavailable, <-codes)
		finish <- true
		assert.Equal(t, http.StatusOK, <-codes)
		assert.Equal(t, gate.State{Refused: 1}, l.State())

		start := time.Now()
		webtest.RequireProblem(t, ask(t.Context(), h), http.StatusServiceUnavailable, "web::reads::timeout")
		assert.Equal(t, reads.Default().Timeout, time.Since(start))
	})
}

// slow is a client that does not read.
type slow struct {
	*httptest.ResponseRecorder
	read chan bool
}

func (s slow) Write(b []byte) (int, error) {
	<-s.read
	return s.ResponseRecorder.Write(b)
}

// TestSlowClient: a client that does not read its answer occupies no slot, and no more memory than the answer.
func TestSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits(t, 0)
		h := l.Costly(rest.WriteProblem)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !assert.NoError(t, gate.Reserve(r.Context(), 1<<20)) {
				return
			}
			w.WriteHeader(http.StatusAccepted)
			_, _ = w.Write([]byte(strings.Repeat("a", 1000)))
		}))
		client := slow{httptest.NewRecorder(), make(chan bool)}
		sent := make(chan bool)
		go func() {
			h.ServeHTTP(client, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
			close(sent)
		}()
		synctest.Wait()
		assert.Equal(t, gate.State{Reserved: 4096}, l.State())
		w := ask(t.Context(), h)
		assert.Equal(t, http.StatusAccepted, w.Code)
		assert.Len(t, w.Body.String(), 1000)
		close(client.read)
		<-sent
		assert.Equal(t, http.StatusAccepted, client.Code)
		assert.Equal(t, gate.State{}, l.State())
	})
}

// TestCheapRequests: a cheap request does not wait for costly ones, and actions wait for neither.
func TestCheapRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits(t, 0)
		finish := make(chan bool)
		block := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-finish })
		answer := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		var codes []int
		busy := 1 + gate.Processors()
		go ask(t.Context(), l.Costly(rest.WriteProblem)(block))
		synctest.Wait()
		assert.Equal(t, http.StatusServiceUnavailable, ask(t.Context(), l.Costly(rest.WriteProblem)(answer)).Code)
		light := l.Light(rest.WriteProblem)
		assert.Equal(t, http.StatusOK, ask(t.Context(), light(answer)).Code)
		for range busy - 1 {
			go ask(t.Context(), light(block))
		}
		synctest.Wait()
		codes = append(codes, ask(t.Context(), light(answer)).Code)
		w := httptest.NewRecorder()
		light(answer).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
		codes = append(codes, w.Code)
		assert.Equal(t, []int{http.StatusServiceUnavailable, http.StatusOK}, codes)
		for range busy {
			finish <- true
		}
		synctest.Wait()
	})
}

// TestPanic: a handler that panics releases its slot and memory.
func TestPanic(t *testing.T) {
	l := limits(t, 1)
	h := l.Costly(rest.WriteProblem)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("x") }))
	assert.Panics(t, func() { ask(t.Context(), h) })
	assert.Equal(t, gate.State{}, l.State())
}

// TestUnlimitedHandlers: handlers without a turn reserve nothing.
func TestUnlimitedHandlers(t *testing.T) {
	require.NoError(t, gate.Reserve(t.Context(), 1<<60))
	assert.False(t, reads.Refuse(httptest.NewRecorder(), rest.WriteProblem, assert.AnError))
	assert.True(t, reads.Refuse(httptest.NewRecorder(), rest.WriteProblem, context.Canceled))
}
