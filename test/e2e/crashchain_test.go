//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/web/api"
)

// crashedGateway is the gateway of a chain: it is crashed, and started again on its files.
type crashedGateway struct {
	*gateway
	clock  testClock
	fast   *fastClock
	base   []string // the part of the environment that is the same at each start
	dir    string
	shards int           // at the next start
	offset time.Duration // its clock's, at the last start
}

// lifetime is the time after which a gateway is killed that neither ends nor answers. It is longer than all waits of a chain for one.
const lifetime = 8 * patience

// launch starts the gateway with a failpoint, or with none if that is empty, and does not wait for it. The gateway is killed at the end
// of the chain.
func (g *crashedGateway) launch(t *testing.T, failpoint string, maxSeries int) {
	t.Helper()
	if err := os.Remove(filepath.Join(g.dir, countsInTheWay)); !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	since, rate, offset := g.fast.state()
	g.offset = offset
	g.clock.set(t, fmt.Sprintf(`{"since": %q, "rate": %d, "offset": %q}`, since.Format(time.RFC3339Nano), rate, offset))
	g.env = append(slices.Clone(g.base), "E2E_SHARDS="+strconv.Itoa(g.shards), "SLOWBURN_FAILPOINT="+failpoint,
		"E2E_MAX_SERIES="+strconv.Itoa(cmp.Or(maxSeries, enoughSeries)))
	p := start(t, "gateway", g.env, g.program, g.configs...)
	overdue := time.AfterFunc(lifetime, func() { _ = p.cmd.Process.Kill() })
	// Not by SIGTERM: a gateway that is stuck would block the chain.
	t.Cleanup(func() {
		overdue.Stop()
		_ = p.cmd.Process.Kill() // an error means that it has ended
		<-p.done
	})
	g.process = p
}

// await calls wrong until it returns no problem, and reports whether it did before the gateway ended, at its failpoint or by itself.
// Requests of wrong may fail, as the gateway may end meanwhile.
func (g *crashedGateway) await(t *testing.T, wrong func() string) bool {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		problem := wrong()
		if problem == "" {
			return true
		}
		select {
		case <-g.done:
			return false
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			require.FailNow(t, problem, "for %s", patience)
		}
	}
}

// require is await for a gateway that must not end: it fails the test.
func (g *crashedGateway) require(t *testing.T, wrong func() string) {
	t.Helper()
	last := ""
	if !g.await(t, func() string { last = wrong(); return last }) {
		require.FailNow(t, "the gateway ended", "%s, while waiting: %s", g.cmd.ProcessState, last)
	}
}

// unless returns a function for await: it returns the problem while a condition is not met.
func unless(met func() bool, what string, args ...any) func() string {
	return func() string {
		if met() {
			return ""
		}
		return fmt.Sprintf(what, args...)
	}
}

// answers reports whether a path of the API answers with 200, and decodes the answer into a structure unless that is nil.
func (g *crashedGateway) answers(path string, into any) bool {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + g.web + path)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK && (into == nil || json.NewDecoder(resp.Body).Decode(into) == nil)
}

func (g *crashedGateway) isReady() bool { return g.answers("/readyz", nil) }

// hasEvaluated reports whether the ledger has events.
func (g *crashedGateway) hasEvaluated() bool {
	var o api.Objective
	return g.answers("/api/slo/v1/objectives/orders", &o) && o.Events.Total > 0
}

// isSettled reports whether everything is decided and delivered.
func (g *crashedGateway) isSettled() bool {
	var status api.SamplingStatus
	return g.answers("/api/sampling/v1/status", &status) && status.TracesPending == 0 && status.TracesUndelivered == 0
}

// run starts the gateway without a failpoint, and waits until it is ready.
func (g *crashedGateway) run(t *testing.T) {
	t.Helper()
	g.launch(t, "", 0)
	g.require(t, unless(g.isReady, "the gateway does not become ready"))
}

// crash makes the gateway reach a failpoint, the nth of its chain. The gateway may reach it before the steps that provoke it are complete.
func (g *crashedGateway) crash(t *testing.T, load *crashLoad, c crash, n int) {
	t.Helper()
	began := time.Now()
	if c.prepare != nil {
		g.run(t)
		c.prepare(t, g)
		g.kill(t)
		require.NoError(t, os.Remove(g.log))
	}
	if c.damage != nil && !c.live {
		c.damage(t, g.dir, n)
	}
	if c.shards {
		c.hit = g.reshard(t, load, c)
	} else {
		before := load.acknowledged()
		g.launch(t, c.String(), c.maxSeries)
		if c.term || c.live || c.setBack > 0 {
			g.provoke(t, load, c, n, before)
		}
	}
	select {
	case <-g.done:
	case <-time.After(patience):
		g.dump(t)
		require.FailNow(t, "the failpoint was not reached", "%s within %s", c, patience)
	}
	if c.setBack > 0 {
		g.fast.run(pace)
	}
	status, ok := g.cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	if c.term && status.Signaled() && status.Signal() == syscall.SIGTERM && time.Since(began) < patience {
		t.Logf("%s: the gateway did not handle signals yet", c) // it handles them a moment after it accepts spans
		require.NoError(t, os.Remove(g.log))
		g.crash(t, load, c, n)
		return
	}
	require.True(t, status.Signaled() && status.Signal() == syscall.SIGKILL, "%s: the gateway ended by itself: %s", c, g.cmd.ProcessState)
	require.Less(t, time.Since(began), lifetime, "%s: the gateway was killed by the test", c)
	require.NoError(t, os.Remove(g.log)) // a chain that fails later shows the log of its last gateway
	t.Logf("%s reached in %s", c, time.Since(began).Round(time.Millisecond))
}

// dump makes the gateway end with a dump of its goroutines, and logs that.
func (g *crashedGateway) dump(t *testing.T) {
	t.Helper()
	_ = g.cmd.Process.Signal(syscall.SIGQUIT) // an error means that it has ended
	select {
	case <-g.done:
	case <-time.After(10 * time.Second):
	}
	if text, err := os.ReadFile(g.log); err == nil {
		text = text[max(0, bytes.LastIndex(text, []byte("SIGQUIT: quit"))):]
		t.Logf("%s", text[:min(len(text), 256<<10)])
	}
}

// reshard starts the gateway with another number of shards until it reaches the failpoint, and returns the hit that it reached. Such a
// start moves the segments and journals of the gateway before, of which a slow one leaves fewer than the failpoint's hit.
func (g *crashedGateway) reshard(t *testing.T, load *crashLoad, c crash) (hit int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; c.hit = max(1, c.hit/2) {
		g.shards = 5 - g.shards
		before := load.acknowledged()
		g.launch(t, c.String(), c.maxSeries)
		if !g.await(t, unless(func() bool { return load.acknowledged() > before }, "%s: nothing is acknowledged", c)) {
			return c.hit
		}
		require.True(t, time.Now().Before(deadline), "no start reaches %s within %s", c, patience)
		t.Logf("%s: too few files were left", c)
		g.kill(t)
		require.NoError(t, os.Remove(g.log))
	}
}

// provoke waits until the gateway is ready and has acknowledged spans, and takes the steps that make it reach its failpoint.
func (g *crashedGateway) provoke(t *testing.T, load *crashLoad, c crash, n, before int) {
	t.Helper()
	if !g.await(t, unless(g.isReady, "%s: the gateway does not become ready", c)) ||
		!g.await(t, unless(func() bool { return load.acknowledged() > before }, "%s: nothing is acknowledged", c)) {
		return
	}
	if c.live {
		c.damage(t, g.dir, n)
	}
	if c.term {
		require.NoError(t, g.cmd.Process.Signal(syscall.SIGTERM))
	}
	if c.setBack > 0 && g.await(t, unless(g.hasEvaluated, "%s: nothing is evaluated", c)) {
		// The gateway doubts the clock for a quarter of an hour, in which its time continues as if the clock had not been set. So does the
		// senders' clock, which the next start has: a start does not trust a clock that is behind the last evaluation.
		g.fast.run(5 * pace)
		g.clock.set(t, fmt.Sprintf(`{"rate": %d, "offset": %q}`, 5*pace, g.offset-c.setBack))
	}
}

func crashChain(t *testing.T, program string, chain int, crashes []crash) {
	hook := &webhook{}
	server := httptest.NewServer(hook)
	defer server.Close()
	collector := startBackend(t, "--collector", "--max-bytes", strconv.Itoa(64<<20))
	dir := t.TempDir()
	g := &crashedGateway{
		gateway: newGateway(t, program, []string{"SLOWBURN_DATA_DIR=" + dir}, "testdata/failpoints.yaml"),
		clock:   newTestClock(t, "{}"), fast: newFastClock(), dir: dir, shards: 2,
	}
	g.backend = collector
	g.base = append(g.env, g.clock.env(), "SLOWBURN_BACKEND="+collector.grpc, "E2E_WEBHOOK="+server.URL,
		"E2E_FSYNC=never", "E2E_COMPRESSION=always")
	if variants[chain] == flushing {
		g.base = append(g.base, "E2E_FSYNC=interval", "E2E_COMPRESSION=auto")
	}
	load := startCrashLoad(t, g, uint64(chain))
	for n, c := range crashes {
		g.crash(t, load, c, n)
	}
	g.run(t)
	g.require(t, unless(load.isEnough, "too few traces were kept for a comparison"))
	load.finish(t)
	g.require(t, unless(g.isSettled, "traces stay undecided or undelivered"))
	load.check(t, g, hook, variants[chain])
}

// fastClock is the clock of a gateway, however often it is started, and of its senders. It runs at pace since the chain's start.
type fastClock struct {
	mu          sync.Mutex
	start       time.Time
	from, shown time.Time // it showed the time shown at from, on the machine's clock
	rate        int       // since from
}

func newFastClock() *fastClock {
	now := time.Now()
	return &fastClock{start: now, from: now, shown: now, rate: pace}
}

func (c *fastClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read(time.Now())
}

func (c *fastClock) read(now time.Time) time.Time {
	return c.shown.Add(now.Sub(c.from) * time.Duration(c.rate))
}

// state returns the settings of a test clock that shows this time, whenever its process starts.
func (c *fastClock) state() (since time.Time, rate int, offset time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.from, c.rate, c.shown.Sub(c.from)
}

// run sets the rate from now on.
func (c *fastClock) run(rate int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.shown, c.from, c.rate = c.read(now), now, rate
}

// crashLoad is the load of a gateway that crashes: traces with a known fate, and orders, which are spans of the service orders that fail
// from time to time. They are sent until they are acknowledged, except for those of a client that sends each request once.
type crashLoad struct {
	*load
	clock *fastClock
	conns []*grpc.ClientConn

	mu           sync.Mutex
	orders, once tallied
	doubtful     tallied // orders of the client that sends once, without an acknowledgement
}

func startCrashLoad(t *testing.T, g *crashedGateway, seed uint64) *crashLoad {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	// At the end of the traffic, requests in flight are sent until they are acknowledged, but not beyond the end of the chain.
	sending, abandon := context.WithCancel(context.Background())
	l := &crashLoad{load: newLoad(t, g.fast.now, cancel), clock: g.fast}
	t.Cleanup(func() {
		abandon()
		l.stop()
		for _, conn := range l.conns {
			_ = conn.Close()
		}
	})
	every := func(interval time.Duration, send func(n int)) {
		l.clients.Go(func() {
			ticker := time.NewTicker(interval)
			defer ticker.Stop()
			for n := 0; ctx.Err() == nil; n++ {
				<-ticker.C
				send(n)
			}
		})
	}
	for i := range uint64(4) {
		client, made := l.client(t, g.gateway), newTraffic(1300+10*seed+i)
		every(25*time.Millisecond, func(n int) {
			l.trace(sending, client, made, []flavour{boring, boring, failing, boring, slow, boring}[n%6], n%10 == 9)
		})
	}
	client, made := l.client(t, g.gateway), newTraffic(1400+seed)
	every(50*time.Millisecond, func(int) {
		td, bad := made.ordersAt(g.fast.now(), "orders", 50, l.share())
		if deliver(sending, client, td) {
			l.add(&l.orders, 50, bad)
		}
	})
	onceClient, onceMade := l.client(t, g.gateway), newTraffic(1500+seed)
	every(70*time.Millisecond, func(int) {
		td, bad := onceMade.ordersAt(g.fast.now(), "orders", 10, l.share())
		attempt, cancel := context.WithTimeout(sending, 5*time.Second)
		defer cancel()
		if export(attempt, onceClient, td) == nil {
			l.add(&l.once, 10, bad)
		} else {
			l.add(&l.doubtful, 10, bad)
		}
	})
	return l
}

// finish ends the traffic, and waits until all requests are acknowledged.
func (l *crashLoad) finish(t *testing.T) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		l.stop()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		require.FailNow(t, "requests are not acknowledged", "by a gateway that is ready, within %s", patience)
	}
}

// client returns a client that reconnects soon after a crash.
func (l *crashLoad) client(t *testing.T, g *gateway) ptraceotlp.GRPCClient {
	t.Helper()
	conn, err := grpc.NewClient(g.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithConnectParams(grpc.ConnectParams{
		Backoff: backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1, MaxDelay: 20 * time.Millisecond},
	}))
	require.NoError(t, err)
	l.conns = append(l.conns, conn)
	return ptraceotlp.NewGRPCClient(conn)
}

// isEnough reports whether enough traces are to be kept for a comparison.
func (l *crashLoad) isEnough() bool {
	l.load.mu.Lock()
	defer l.load.mu.Unlock()
	kept := 0
	for _, f := range l.acked {
		if f.kept {
			kept++
		}
	}
	return kept > 20
}

// acknowledged returns the number of acknowledged orders of the client that repeats.
func (l *crashLoad) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.orders.spans
}

// share returns the number of failing ones among ten orders: five for three minutes of the gateway's clock, none for the next three.
func (l *crashLoad) share() int {
	if l.clock.now().Sub(l.clock.start)/time.Minute%6 < 3 {
		return 5
	}
	return 0
}

func (l *crashLoad) add(to *tallied, spans, bad int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to.spans += spans
	to.bad += bad
}

// check compares the spans, counts and alerts with the load, as the laws demand.
func (l *crashLoad) check(t *testing.T, g *crashedGateway, hook *webhook, variant string) {
	t.Helper()
	overdue := time.AfterFunc(patience, func() { _ = g.backend.cmd.Process.Kill() }) // ends a request that it does not answer
	report := l.compare(t, g.backend.spans(t))
	overdue.Stop()
	t.Logf("%d spans acknowledged in %d traces, %d traces kept, %d spans delivered more than once; orders: %+v with repeats, %+v sent once, %+v in doubt",
		report.acknowledged, report.traces, report.kept, report.repeated, l.orders, l.once, l.doubtful)
	assert.Zero(t, report.lost, "acknowledged spans of kept traces that never reached the backend")
	assert.Zero(t, report.unwanted, "spans of traces that no policy keeps")

	var calls, total, failed, resets int // of orders
	least, bad := l.orders.spans+l.once.spans, l.orders.bad+l.once.bad
	most, mostBad := least+l.doubtful.spans, bad+l.doubtful.bad
	read := func() bool {
		at := l.clock.now()
		ok := true
		sum := func(expression string) int {
			n, answered := g.value("sum("+expression+")", at)
			ok = ok && answered
			return n
		}
		calls = sum("last_over_time(traces_span_metrics_calls_total[1d])") - report.acknowledged
		total = sum(`last_over_time(slowburn_sli_events_total{objective="orders"}[1d])`)
		failed = sum(`last_over_time(slowburn_sli_bad_events_total{objective="orders"}[1d])`)
		resets = sum("resets(traces_span_metrics_calls_total[1d])") + sum("resets(slowburn_sli_events_total[1d])")
		return ok
	}
	if variant == volatile { // counts may be lost, and none is repeated
		g.require(t, unless(func() bool { return read() && total > 0 }, "nothing is counted"))
		assert.LessOrEqual(t, calls, most)
		assert.LessOrEqual(t, total, most)
		return
	}
	g.require(t, func() string {
		if read() && least <= total && total <= most && calls == total && bad <= failed && failed <= mostBad {
			return ""
		}
		return fmt.Sprintf("the counts differ from the acknowledged spans: %d calls and %d events are not from %d to %d, or %d bad ones not from %d to %d",
			calls, total, least, most, failed, bad, mostBad)
	})
	if variant == rewound { // its clock was set back, so that later counts have earlier times
		return
	}
	assert.Zero(t, resets, "counters went back")
	if variant == damaged {
		return
	}
	g.require(t, func() string {
		var o api.Objective
		if g.answers("/api/slo/v1/objectives/orders", &o) && o.Events == (api.Events{Total: uint64(total), Bad: uint64(failed)}) {
			return ""
		}
		return fmt.Sprintf("the events in the ledger differ from the %d counted ones, %d of them bad: %+v", total, failed, o.Events)
	})
	checkDeliveries(t, g, hook)
}

// value returns the value of a PromQL expression at an instant, 0 if it has none, and whether the gateway answered.
func (g *crashedGateway) value(expression string, at time.Time) (n int, ok bool) {
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"` // time, value
			} `json:"result"`
		} `json:"data"`
	}
	if !g.answers(fmt.Sprintf("/api/v1/query?query=%s&time=%d", url.QueryEscape(expression), at.Unix()), &answer) {
		return 0, false
	}
	if len(answer.Data.Result) == 0 {
		return 0, true
	}
	f, err := strconv.ParseFloat(fmt.Sprint(answer.Data.Result[0].Value[1]), 64)
	return int(f), err == nil
}

// checkDeliveries compares the gateway's list of deliveries with the notifications that the receiver has.
func checkDeliveries(t *testing.T, g *crashedGateway, hook *webhook) {
	t.Helper()
	var list api.Deliveries
	var told []notification // received before the list was read: the alert may change meanwhile
	g.require(t, func() string {
		list.Deliveries, told = nil, hook.all()
		if !g.answers("/api/alerts/v1/deliveries", &list) {
			return "the list of deliveries is not answered"
		}
		for _, d := range list.Deliveries {
			if d.State != "delivered" {
				return fmt.Sprintf("a notification stays in the outbox: %+v", d)
			}
		}
		return ""
	})
	taken := map[string]notification{}
	for _, n := range hook.all() {
		if before, again := taken[n.key]; again {
			assert.Equal(t, before, n, "two transitions have one key")
		}
		taken[n.key] = n
	}
	last, known := alert.Ended, map[string]bool{}
	for _, d := range slices.Backward(list.Deliveries) { // the oldest first
		n, ok := taken[d.IdempotencyKey]
		if assert.True(t, ok, "the transition %+v never reached its receiver", d) {
			assert.EqualValues(t, d.Transition, n.Status)
		}
		assert.NotEqual(t, last, d.Transition, "a transition is missing, or was delivered under two keys")
		last, known[d.IdempotencyKey] = d.Transition, true
	}
	for _, n := range told {
		assert.True(t, known[n.key], "the outbox does not have the notification %+v", n)
	}
	t.Logf("%d transitions", len(list.Deliveries))
}
