package gate

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// usual returns the number of processors that the tests of spares begin with.
func usual(t *testing.T) int {
	t.Setenv("GOMAXPROCS", "2") // restores it at the end, whatever the machine has
	before := runtime.GOMAXPROCS(2)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	return 2
}

// TestSpareWhileBusy: a long request gets an additional processor, even if it does not yield its own.
func TestSpareWhileBusy(t *testing.T) {
	before := usual(t)
	g := New(Settings{Slots: NewSlots(1), Memory: 1})
	turn, err := g.Enter(t.Context())
	require.NoError(t, err)
	defer turn.Leave()
	lent := false
	turn.Serve(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) {
			for start := time.Now(); !lent && time.Since(start) < time.Minute; {
				for look := time.Now(); time.Since(look) < time.Millisecond; { // reading takes a lock that the lender needs
				}
				lent = runtime.GOMAXPROCS(0) == before+1
			}
			assert.Equal(t, 1, Processors(), "what is lent is no processor for more requests")
		}), nil)
	assert.True(t, lent)
	assert.Equal(t, before, runtime.GOMAXPROCS(0))
}

// TestSpares: each long request gets a processor, and all are kept until no request runs or waits.
func TestSpares(t *testing.T) {
	before := usual(t)
	synctest.Test(t, func(t *testing.T) {
		g := New(Settings{Slots: NewSlots(2), Waiting: 2, Timeout: time.Hour, Memory: 1})
		finish := make(chan bool)
		served := make(chan bool)
		serve := func(h http.HandlerFunc) {
			turn, err := g.Enter(t.Context())
			if !assert.NoError(t, err) {
				return
			}
			turn.Serve(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), h, nil)
			turn.Leave()
			served <- true
		}
		block := func(http.ResponseWriter, *http.Request) { <-finish }
		processors := func(want int) {
			t.Helper()
			time.Sleep(2 * lendAfter)
			synctest.Wait()
			assert.Equal(t, want, runtime.GOMAXPROCS(0))
		}
		go serve(func(http.ResponseWriter, *http.Request) {
			time.Sleep(lendAfter / 2)
			assert.Equal(t, before, runtime.GOMAXPROCS(0))
		})
		<-served
		processors(before)
		for range 3 {
			go serve(block)
		}
		processors(before + 2) // the third one waits
		finish <- true
		<-served
		processors(before + 2) // and now runs
		finish <- true
		<-served
		processors(before + 2) // a change stops all goroutines, so none is made while a lent processor is needed
		finish <- true
		<-served
		processors(before)

		go func() {
			defer func() { served <- recover() != nil }()
			serve(func(http.ResponseWriter, *http.Request) {
				<-finish
				panic("x")
			})
		}()
		processors(before + 1)
		finish <- true
		assert.True(t, <-served)
		processors(before)
	})
}

// TestSpareOfOneThatLeaves: a lent processor is kept for a waiting request, until the request that got it leaves.
func TestSpareOfOneThatLeaves(t *testing.T) {
	before := usual(t)
	synctest.Test(t, func(t *testing.T) {
		g := New(Settings{Slots: NewSlots(1), Waiting: 1, Timeout: time.Hour, Memory: 1})
		first, err := g.Enter(t.Context())
		require.NoError(t, err)
		entered := make(chan *Turn)
		go func() {
			second, err := g.Enter(t.Context())
			assert.NoError(t, err)
			entered <- second
		}()
		synctest.Wait()
		first.Serve(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), http.HandlerFunc(
			func(http.ResponseWriter, *http.Request) { time.Sleep(2 * lendAfter) }), nil)
		assert.Equal(t, before+1, runtime.GOMAXPROCS(0))
		second := <-entered
		first.Leave()
		assert.Equal(t, before, runtime.GOMAXPROCS(0))
		second.Leave()
	})
}
