package shop

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
)

// gateway keeps the spans that the shop exports.
type gateway struct {
	ptraceotlp.UnimplementedGRPCServer
	endpoint string

	mu    sync.Mutex
	spans []span
}

// span is one with its resource.
type span struct {
	ptrace.Span
	service, version, host string
}

func startGateway(t *testing.T) *gateway {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := &gateway{endpoint: listener.Addr().String()}
	server := grpc.NewServer()
	ptraceotlp.RegisterGRPCServer(server, g)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return g
}

func (g *gateway) Export(_ context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, rs := range r.Traces().ResourceSpans().All() {
		text := func(key string) string {
			v, _ := rs.Resource().Attributes().Get(key)
			return v.AsString()
		}
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				g.spans = append(g.spans, span{s, text("service.name"), text("service.version"), text("host.name")})
			}
		}
	}
	return ptraceotlp.NewExportResponse(), nil
}

// named returns the spans of a name.
func (g *gateway) named(name string) (found []span) {
	for _, s := range g.spans {
		if s.Name() == name {
			found = append(found, s)
		}
	}
	return found
}

func attr(s span, key string) string {
	v, _ := s.Attributes().Get(key)
	return v.AsString()
}

// exception is what the span's error says.
func exception(s span) string {
	for _, e := range s.Events().All() {
		if v, ok := e.Attributes().Get("exception.message"); ok {
			return v.Str()
		}
	}
	return s.Status().Message()
}

// visit runs the shop with faults, has it asked, and returns all that it exported.
func visit(t *testing.T, ask func(s *Shop), faults ...Fault) *gateway {
	g := startGateway(t)
	s, err := New(t.Context(), g.endpoint)
	require.NoError(t, err)
	for _, f := range faults {
		s.Faults.Set(f, true)
	}
	ask(s)
	require.NoError(t, s.Close(context.WithoutCancel(t.Context())))
	return g
}

// get asks the frontend as a browser does, and reports whether it answered well.
func get(t *testing.T, s *Shop, method, path string) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.frontend.url+path, http.NoBody)
	require.NoError(t, err)
	resp, err := s.browser.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		require.Equal(t, http.StatusInternalServerError, resp.StatusCode)
	}
	return resp.StatusCode == http.StatusOK
}

// Every route answers well and leaves its spans, each under the right service.
func TestRoutes(t *testing.T) {
	g := visit(t, func(s *Shop) {
		for _, ask := range [][2]string{{http.MethodGet, "/"}, {http.MethodGet, "/product"}, {http.MethodPost, "/cart"}, {http.MethodPost, "/checkout"}} {
			assert.True(t, get(t, s, ask[0], ask[1]), ask)
		}
	})
	for name, want := range map[string]struct {
		service string
		kind    ptrace.SpanKind
		count   int
	}{
		"GET /":              {"frontend", ptrace.SpanKindServer, 1},
		"render home":        {"frontend", ptrace.SpanKindInternal, 1},
		"GET /featured":      {"catalog", ptrace.SpanKindServer, 1},
		"GET /products":      {"catalog", ptrace.SpanKindServer, 1},
		"GET /prices":        {"catalog", ptrace.SpanKindServer, 2},
		"SELECT products":    {"catalog", ptrace.SpanKindClient, 4},
		"GET /stock":         {"inventory", ptrace.SpanKindServer, 1},
		"SELECT stock":       {"inventory", ptrace.SpanKindClient, 2},
		"POST /reservations": {"inventory", ptrace.SpanKindServer, 1},
		"UPDATE stock":       {"inventory", ptrace.SpanKindClient, 1},
		"POST /items":        {"cart", ptrace.SpanKindServer, 1},
		"HSET carts":         {"cart", ptrace.SpanKindClient, 1},
		"GET /items":         {"cart", ptrace.SpanKindServer, 1},
		"HGETALL carts":      {"cart", ptrace.SpanKindClient, 1},
		"POST /charges":      {"payment", ptrace.SpanKindServer, 1},
		"authorize card":     {"payment", ptrace.SpanKindInternal, 1},
		"INSERT charges":     {"payment", ptrace.SpanKindClient, 1},
		"POST /orders":       {"checkout", ptrace.SpanKindServer, 1},
		"INSERT orders":      {"checkout", ptrace.SpanKindClient, 1},
		"send orders":        {"checkout", ptrace.SpanKindProducer, 1},
		"process orders":     {"fulfilment", ptrace.SpanKindConsumer, 1},
		"print label":        {"fulfilment", ptrace.SpanKindInternal, 1},
		"INSERT shipments":   {"fulfilment", ptrace.SpanKindClient, 1},
	} {
		found := g.named(name)
		assert.Len(t, found, want.count, name)
		for _, s := range found {
			assert.Equal(t, want.service, s.service, name)
			assert.Equal(t, want.kind, s.Kind(), name)
			assert.Equal(t, ptrace.StatusCodeUnset, s.Status().Code(), name)
		}
	}
	for _, s := range g.spans {
		assert.NotEmpty(t, s.host)
		assert.GreaterOrEqual(t, s.EndTimestamp(), s.StartTimestamp())
	}
	assert.Equal(t, "1.9.0", g.named("POST /orders")[0].version)
	stock := g.named("SELECT stock")[0]
	assert.Equal(t, []string{"postgresql", "SELECT", "stock", "postgresql.shop.internal"}, []string{attr(stock, "db.system.name"),
		attr(stock, "db.operation.name"), attr(stock, "db.collection.name"), attr(stock, "server.address")})
	sent, processed := g.named("send orders")[0], g.named("process orders")[0]
	assert.Equal(t, "orders", attr(sent, "messaging.destination.name"))
	assert.Equal(t, "1", attr(processed, "messaging.batch.message_count"))
	require.Equal(t, 1, processed.Links().Len(), "a batch is linked to its orders")
	assert.Equal(t, sent.TraceID(), processed.Links().At(0).TraceID())
	assert.Equal(t, sent.SpanID(), processed.Links().At(0).SpanID())
	assert.NotEqual(t, sent.TraceID(), processed.TraceID())
	for _, request := range g.named("POST /orders") {
		assert.Equal(t, sent.TraceID(), request.TraceID(), "a trace goes through all services")
	}
}

// enough is how often something that happens by chance is tried, so that it does happen and does not happen, both but for
// one run in a billion.
const enough = 80

// Some calls fail by a fault and some do not, each as the fault says.
func TestFaults(t *testing.T) {
	for fault, test := range map[Fault]struct {
		ask     func(t *testing.T, s *Shop) bool
		failing string // the span's name
		message string
	}{
		Errors:       {charge, "POST /charges", "card processor declined the connection"},
		LostResponse: {charge, "POST", "EOF"},
		BadDeploy:    {func(t *testing.T, s *Shop) bool { return get(t, s, http.MethodPost, "/checkout") }, "POST /orders", "discount code is nil"},
	} {
		t.Run(fault.String(), func(t *testing.T) {
			well := 0
			g := visit(t, func(s *Shop) {
				for range enough {
					if test.ask(t, s) {
						well++
					}
				}
			}, fault)
			assert.Positive(t, well)
			assert.Less(t, well, enough)
			failed := 0
			for _, s := range g.named(test.failing) {
				if s.Status().Code() == ptrace.StatusCodeError {
					failed++
					assert.Contains(t, exception(s), test.message)
				}
				if fault == BadDeploy {
					assert.Equal(t, "2.0.0", s.version)
				}
			}
			assert.Equal(t, enough-well, failed)
			switch fault {
			case LostResponse:
				assert.Len(t, g.named("INSERT charges"), enough, "the card was charged")
			case Errors:
				assert.Len(t, g.named("INSERT charges"), well)
			case BadDeploy:
				assert.Len(t, g.named("send orders"), well)
				assert.Len(t, g.named("apply discount"), failed)
			}
		})
	}
}

func charge(t *testing.T, s *Shop) bool {
	return s.checkout.call(t.Context(), http.MethodPost, s.payment.url+"/charges") == nil
}

func TestLatency(t *testing.T) {
	g := visit(t, func(s *Shop) { _ = s.inventory.call(t.Context(), http.MethodGet, s.inventory.url+"/stock") }, Latency)
	waited := g.named("wait for lock")
	require.Len(t, waited, 1)
	assert.GreaterOrEqual(t, waited[0].EndTimestamp()-waited[0].StartTimestamp(), pcommon.Timestamp(750*time.Millisecond))
}

func TestSkewedClock(t *testing.T) {
	g := visit(t, func(s *Shop) { assert.True(t, get(t, s, http.MethodGet, "/")) }, SkewedClock)
	home, featured := g.named("GET /")[0], g.named("GET /featured")[0]
	ahead := featured.StartTimestamp().AsTime().Sub(home.StartTimestamp().AsTime())
	assert.GreaterOrEqual(t, ahead, 3*time.Second)
	assert.Less(t, featured.EndTimestamp()-featured.StartTimestamp(), pcommon.Timestamp(3*time.Second), "the end is moved too")
	assert.GreaterOrEqual(t, featured.EndTimestamp(), featured.StartTimestamp())
	assert.Equal(t, "app-2", featured.host)
}

// In a retry storm cart asks up to five times, and passes on the last error.
func TestRetryStorm(t *testing.T) {
	g := visit(t, func(s *Shop) {
		for range enough {
			_ = s.cart.call(t.Context(), http.MethodPost, s.cart.url+"/items")
		}
	}, RetryStorm)
	asked := map[pcommon.TraceID]int{}
	for _, s := range g.named("GET /prices") {
		asked[s.TraceID()]++
	}
	times := map[int]int{}
	for _, n := range asked {
		times[n]++
	}
	assert.Positive(t, times[1], "some are answered at once")
	assert.Positive(t, times[5], "some are given up")
	for n := range times {
		assert.LessOrEqual(t, n, 5)
	}
	for _, s := range g.named("POST /items") {
		failed := s.Status().Code() == ptrace.StatusCodeError
		assert.Equal(t, failed, s.Events().Len() >= 5, "five retries and the error")
		if failed {
			assert.Equal(t, "retry", s.Events().At(0).Name())
		}
	}
}

func TestVisit(t *testing.T) {
	g := visit(t, func(s *Shop) {
		for range enough {
			well, err := s.Visit(t.Context())
			require.NoError(t, err)
			assert.True(t, well)
		}
	})
	for _, name := range []string{"GET /", "GET /product", "POST /cart", "POST /checkout"} {
		assert.NotEmpty(t, g.named(name), name)
	}
	s := &Shop{browser: &http.Client{}, frontend: &service{url: "http://127.0.0.1:1"}}
	_, err := s.Visit(t.Context())
	assert.Error(t, err)
}

// A batch is what came within the delay, five at most.
func TestReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(nil)
		for range 7 {
			q.messages <- trace.SpanContext{}
		}
		start := time.Now()
		assert.Len(t, q.receive(t.Context()), batchSize)
		assert.Zero(t, time.Since(start), "a full batch does not wait")
		assert.Len(t, q.receive(t.Context()), 2)
		assert.Equal(t, batchDelay, time.Since(start))
		ctx, cancel := context.WithCancel(t.Context())
		q.messages <- trace.SpanContext{}
		go func() {
			time.Sleep(batchDelay / 2)
			cancel()
		}()
		start = time.Now()
		assert.Len(t, q.receive(ctx), 1, "what came before the end")
		assert.Equal(t, batchDelay/2, time.Since(start))
		assert.Empty(t, q.receive(ctx))
	})
}

func TestChanceAndJitter(t *testing.T) {
	for range 1000 {
		assert.True(t, chance(1))
		assert.False(t, chance(0))
		d := jitter(100)
		assert.True(t, d >= 50 && d <= 150, d)
	}
	assert.Zero(t, jitter(0))
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		pause(t.Context(), time.Second)
		assert.Equal(t, time.Second, time.Since(start))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		pause(ctx, time.Second)
		assert.Equal(t, time.Second, time.Since(start), "an ended context is not waited for")
	})
}

func TestFaultNames(t *testing.T) {
	assert.Len(t, All(), int(faults))
	texts := map[string]bool{}
	for i, f := range All() {
		assert.Equal(t, Fault(i), f)
		parsed, err := ParseFault(f.String())
		require.NoError(t, err)
		assert.Equal(t, f, parsed)
		assert.NotEmpty(t, f.Text())
		texts[f.Text()] = true
		var on Faults
		on.Set(f, true)
		for _, other := range All() {
			assert.Equal(t, other == f, on.On(other))
		}
		on.Set(f, false)
		assert.False(t, on.On(f))
	}
	assert.Len(t, texts, int(faults))
	_, err := ParseFault("none")
	assert.ErrorContains(t, err, `there is no fault "none": it must be one of ["errors"`)
}
