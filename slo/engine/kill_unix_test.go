//go:build unix

package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/slo/notify"
)

// With a directory and a receiver in these variables, the test binary evaluates killedHours and delivers the notifications.
const (
	killDirectory = "SLOWBURN_TEST_ENGINE_DIRECTORY"
	killReceiver  = "SLOWBURN_TEST_ENGINE_RECEIVER"
	killedHours   = 3
	killedSeed    = 3
)

// TestKill checks law 6: a process is killed repeatedly while it evaluates and delivers, and each receiver gets each transition
// in order, under the key that it has without kills.
func TestKill(t *testing.T) {
	if dir := os.Getenv(killDirectory); dir != "" {
		evaluateAndDeliver(t, dir, os.Getenv(killReceiver))
		return
	}
	world, _ := world(killedSeed, killedHours)
	calm := openAt(t, parse(t, twoObjectives), world, noon)
	require.NoError(t, calm.evaluator.evaluate(t.Context(), believed(noon.Add(killedHours*time.Hour), true, true)))
	want := map[string][]string{}
	d, err := calm.Deliveries()
	require.NoError(t, err)
	for _, v := range slices.Backward(d.Deliveries) {
		about := v.Receiver + " " + v.Objective
		want[about] = append(want[about], v.IdempotencyKey)
	}
	closeIt(t, calm)
	require.Len(t, want, 4)

	rnd := rand.New(rand.NewPCG(1, 1))
	var mu sync.Mutex
	got := map[string][]string{}
	die := func() {}
	receive := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct{ GroupLabels map[string]string }
		if json.NewDecoder(r.Body).Decode(&body) != nil {
			return // killed halfway through the request
		}
		mu.Lock()
		defer mu.Unlock()
		about := r.URL.Path[1:] + " " + body.GroupLabels["objective"]
		if keys := got[about]; len(keys) == 0 || keys[len(keys)-1] != r.Header.Get("Idempotency-Key") {
			got[about] = append(keys, r.Header.Get("Idempotency-Key"))
		}
		if rnd.IntN(2) == 0 {
			die() // before it receives the answer
		}
	})

	dir := t.TempDir()
	kills := 0
	for {
		receiver := httptest.NewServer(receive) // of its own: requests of a killed process are handled before the next process begins
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
		child.Env = append(os.Environ(), killDirectory+"="+dir, killReceiver+"="+receiver.URL)
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		mu.Lock()
		require.NoError(t, child.Start())
		die = func() { _ = child.Process.Kill() } // an error means that it has exited
		after := time.Duration(rnd.IntN(10)) * time.Millisecond
		mu.Unlock()
		if lines := bufio.NewScanner(out); kills < 10 && lines.Scan() && lines.Text() == "started" {
			time.AfterFunc(after, die)
		}
		err = child.Wait()
		receiver.Close() // waits for requests in flight
		if err == nil {
			break
		}
		kills++
		require.Less(t, kills, 200, "it never gets through")
	}
	mu.Lock()
	defer mu.Unlock()
	assert.GreaterOrEqual(t, kills, 5)
	assert.Equal(t, want, got)

	c := parse(t, twoObjectives)
	c.Directory = dir
	survivor := openAt(t, c, world, noon.Add(killedHours*time.Hour))
	defer closeIt(t, survivor)
	requireParts(t, survivor, noon.Add(killedHours*time.Hour))
}

func evaluateAndDeliver(t *testing.T, dir, receiver string) {
	c := parse(t, twoObjectives)
	c.Directory = dir
	world, _ := world(killedSeed, killedHours)
	e := openAt(t, c, world, noon)
	e.sender = notify.NewSender(notify.Settings{DB: e.db, Logger: zap.NewNop(), Receivers: []notify.Receiver{
		{Name: "all", URL: receiver + "/all", Client: &http.Client{Timeout: time.Minute}},
		{Name: "pager", URL: receiver + "/pager", Client: &http.Client{Timeout: time.Minute}},
	}})
	e.evaluator.wake = e.sender.Wake
	e.sender.Start()
	fmt.Println("started")
	for at := e.evaluator.spans.watermark.Start(); !at.After(noon.Add(killedHours * time.Hour)); at = at.Add(time.Minute) {
		require.NoError(t, e.evaluator.evaluate(context.Background(), believed(at, true, true)))
	}
	require.Eventually(t, func() bool {
		pending := 0
		require.NoError(t, e.view(func(tx *bbolt.Tx) error {
			pending = notify.CountPending(tx)
			return nil
		}))
		return pending == 0
	}, time.Minute, time.Millisecond)
	closeIt(t, e)
}
