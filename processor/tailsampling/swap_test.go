package tailsampling

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// serviceIs keeps traces with a span of a service, so that a resource decides.
func serviceIs(name, service string) policy.Config {
	return policy.Config{Name: name, Type: policy.StringAttribute,
		Section: &policy.StringAttributeConfig{Key: "service.name", Values: []string{service}}}
}

// with returns a copy of the configuration with other policies.
func with(cfg *Config, policies ...policy.Config) *Config {
	other := *cfg
	other.Policies = policies
	return &other
}

// swapTo makes a configuration's policies the current ones.
func swapTo(p *Sampler, cfg *Config) (*version.Version, error) {
	p.policies.swapping.Lock()
	defer p.policies.swapping.Unlock()
	return p.policies.swap(func(number int) (*version.Version, error) {
		return p.policies.compile(number, cfg, p.policies.versions.Names)
	})
}

// decidedBy returns the policy that all spans of a kept trace name.
func decidedBy(t *testing.T, parts []ptrace.Traces) string {
	by := ""
	for _, part := range parts {
		for _, rs := range part.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					got, _ := span.Attributes().Get(attr.Policy)
					if by == "" {
						by = got.Str()
					}
					require.Equal(t, by, got.Str())
				}
			}
		}
	}
	return by
}

// All spans of a trace are observed and decided by the version under which it began, whenever they arrive.
func TestSwapConcernsTracesThatBeginLater(t *testing.T) {
	withEitherStorage(t, testSwapConcernsTracesThatBeginLater)
}

func testSwapConcernsTracesThatBeginLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := with(testConfig(), serviceIs("first", "service-1"))
		var next sink
		p := start(t, cfg, &next)
		before, after := newTrace(1, 4, false), newTrace(2, 4, false)
		require.NoError(t, wireDoor(t, p, request(before[0], before[2]))) // no policy matches yet
		many := make([]policy.Config, 0, 101)                             // more bits than the first version has
		for i := range 100 {
			many = append(many, serviceIs(fmt.Sprint("never ", i), fmt.Sprint("none-", i)))
		}
		r, err := swapTo(p, with(cfg, append(many, serviceIs("second", "service-3"))...))
		require.NoError(t, err)
		require.Equal(t, 2, r.Number)
		require.NoError(t, wireDoor(t, p, request(before[1], after[0], after[3])))
		only3 := newTrace(3, 4, false)
		require.NoError(t, wireDoor(t, p, request(only3[:3]...))) // the first version would keep it
		require.Equal(t, int64(3), p.Status().TracesPending)

		time.Sleep(cfg.DecisionWait + time.Second)
		require.NoError(t, wireDoor(t, p, request(before[3], after[1]))) // late
		time.Sleep(time.Second)
		got := next.traces()
		require.Len(t, got, 2)
		require.Equal(t, "first", decidedBy(t, got[traceID(1)]))
		require.Equal(t, "second", decidedBy(t, got[traceID(2)]))
		require.Len(t, got[traceID(1)], 2, "a late span follows, by a policy that is no more")
		for m := range p.buffer.Locked() {
			require.Equal(t, 1, m.Versions().Len(), "the old version is gone with its last trace")
		}
		shutdown(t, p)
	})
}

func TestSwapThatFailsChangesNothing(t *testing.T) {
	withEitherStorage(t, testSwapThatFailsChangesNothing)
}

func testSwapThatFailsChangesNothing(t *testing.T) {
	cfg := testConfig()
	cfg.NumShards = 1
	p := start(t, cfg, &sink{})
	defer shutdown(t, p)
	before := p.policies.versions.Current()
	_, err := swapTo(p, with(cfg, policy.Config{Name: "a", Type: "no such"}))
	require.ErrorContains(t, err, "no such")
	require.Same(t, before, p.policies.versions.Current())

	trace := 0
	for range version.MaxInUse - 1 {
		require.NoError(t, wireDoor(t, p, request(newSpan(trace, 0)))) // which waits under its version
		trace++
		_, err = swapTo(p, cfg)
		require.NoError(t, err)
	}
	require.NoError(t, wireDoor(t, p, request(newSpan(trace, 0))))
	before = p.policies.versions.Current()
	_, err = swapTo(p, cfg)
	require.ErrorIs(t, err, errTooManyVersions)
	require.Same(t, before, p.policies.versions.Current())
	decideNow(p)
	_, err = swapTo(p, cfg)
	require.NoError(t, err)
}

// Decisions in the journal by versions that no longer exist are right after a restart, and undecided traces are decided by the
// current version.
func TestSwapAndRestart(t *testing.T) {
	cfg := keepAll(testConfig())
	cfg.Storage, cfg.DecisionWait, cfg.ShutdownTimeout = storageDisk, time.Hour, 10*time.Millisecond
	blocked := &sink{accept: func(context.Context, int, ptrace.Traces) error { return errors.New("down") }}
	p := start(t, cfg, blocked)
	send := func(p *Sampler, n int) { require.NoError(t, wireDoor(t, p, request(newTrace(n, 2, false)...))) }
	send(p, 1)
	decideAll(p)
	_, err := swapTo(p, with(cfg, serviceIs("second", "service-1")))
	require.NoError(t, err)
	send(p, 2)
	decideAll(p)
	_, err = swapTo(p, with(cfg, serviceIs("third", "service-1")))
	require.NoError(t, err)
	send(p, 3)
	require.NoError(t, p.Shutdown(t.Context()))

	next := &sink{}
	p = start(t, with(cfg, serviceIs("fourth", "service-1")), next)
	require.NoError(t, wireDoor(t, p, request(newSpan(3, 2), newSpan(3, 3)))) // it is pending, and not a new trace
	decideAll(p)
	require.Eventually(t, func() bool { return next.spans() == 2+2+4 }, time.Minute, time.Millisecond)
	got := next.traces()
	require.Equal(t, "all", decidedBy(t, got[traceID(1)]))
	require.Equal(t, "second", decidedBy(t, got[traceID(2)]))
	require.Equal(t, "fourth", decidedBy(t, got[traceID(3)]))
	shutdown(t, p)
}

// While policies change spans arrive through several doors at once: none is lost, and all spans of a trace are decided by one version.
func TestSwapWhileSpansCome(t *testing.T) { withEitherStorage(t, testSwapWhileSpansCome) }

func testSwapWhileSpansCome(t *testing.T) {
	const senders, traces, swaps = 4, 60, 40
	cfg := keepAll(testConfig())
	cfg.DecisionWait, cfg.NumTraces = time.Hour, 50 // decided continuously
	var next sink
	p := start(t, cfg, &next)
	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() {
			for n := range traces {
				spans := newTrace(sender*traces+n, 6, false)
				assert.NoError(t, wireDoor(t, p, request(spans[:3]...)))
				assert.NoError(t, pdataDoor(t, p, request(spans[3:]...)))
			}
		})
	}
	all.Go(func() {
		for n := range swaps {
			_, err := swapTo(p, with(cfg, serviceIs("none", "no-service"), policy.Config{Name: fmt.Sprint("all ", n), Type: policy.AlwaysSample}))
			assert.NoError(t, err)
			p.Status()
			p.Explain(traceID(n))
		}
	})
	all.Wait()
	decideNow(p)
	require.Eventually(t, func() bool { return next.spans() == senders*traces*6 }, 30*time.Second, time.Millisecond)
	got := next.traces()
	require.Len(t, got, senders*traces)
	for _, parts := range got {
		require.Contains(t, decidedBy(t, parts), "all")
	}
	for m := range p.buffer.Locked() {
		require.Equal(t, 1, m.Versions().Len())
	}
	shutdown(t, p)
}
