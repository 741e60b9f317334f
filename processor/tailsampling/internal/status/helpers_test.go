package status

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/destination"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/budget"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/refuse"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// never is no deadline.
var never = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var rewrite = flag.Bool("rewrite", false, "write what the code gives into testdata, instead of comparing")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// scene is a View of a buffer in memory, with the steps that tests take.
type scene struct {
	*View
	t    *testing.T
	next *next
}

// next is a next component whose answers a test sets.
type next struct {
	mu     sync.Mutex
	accept func(ctx context.Context, destination string) error
}

// set sets the answers.
func (n *next) set(accept func(ctx context.Context, destination string) error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.accept = accept
}

func (*next) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (n *next) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	k := wire.KeptOf(ctx)
	if td.SpanCount() == 0 {
		k.Take()
	}
	n.mu.Lock()
	accept := n.accept
	n.mu.Unlock()
	if accept == nil {
		return nil
	}
	return accept(ctx, k.To)
}

func chance(name string, percent float64) policy.Config {
	return policy.Config{Name: name, Type: policy.Probabilistic, Section: &policy.ProbabilisticConfig{SamplingPercentage: percent}}
}

func withAttribute(key string) policy.Config {
	return policy.Config{Type: policy.StringAttribute, Section: &policy.StringAttributeConfig{Key: key, Values: []string{"yes"}}}
}

func named(name string, cfg policy.Config) policy.Config {
	cfg.Name = name
	return cfg
}

func drop(name, key string) policy.Config {
	return policy.Config{Name: name, Type: policy.Drop, Section: &policy.DropConfig{SubPolicies: []policy.Config{withAttribute(key)}}}
}

func compile(t *testing.T, list ...policy.Config) *policy.Set {
	set, err := policy.Compile(list, policy.Options{})
	require.NoError(t, err)
	return set
}

// destinations are an exporter that takes bytes, and another that takes decoded spans.
var destinations = []destination.Destination{
	{ID: "otlp_grpc/backend", Pipeline: "traces/sampled", Bytes: true, Exporters: []string{"otlp_grpc/backend"}},
	{ID: "traces/sampled", Pipeline: "traces/sampled", Exporters: []string{"kafka", "debug"}},
}

// newScene has policies of all types, and a shadow with other decisions.
func newScene(t *testing.T, withShadow bool) *scene {
	names := version.NewNames()
	linkedNumber, err := names.Number(version.Name{Policy: linked.PolicyName})
	require.NoError(t, err)
	errorsPolicy := policy.Config{Name: "errors", Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"ERROR"}}}
	set := compile(t, errorsPolicy, drop("debug", "debug"), policy.Config{
		Name: "composite", Type: policy.Composite, Section: &policy.CompositeConfig{
			MaxTotalSpansPerSecond: 1000, SubPolicies: []policy.Config{named("gold", withAttribute("gold")), named("silver", withAttribute("silver"))},
		},
	}, chance("half", 50))
	var shadow *policy.Set
	if withShadow {
		shadow = compile(t, named("gold", withAttribute("gold")), drop("errors", "silver"), chance("all", 100))
	}
	v, err := version.New(1, set, shadow, names)
	require.NoError(t, err)
	shared := &shard.Shared{
		Destinations: delivery.Keys(destinations),
		Waits:        shard.Waits{Decision: 10 * time.Second, Revive: time.Minute}, TraceSize: shard.MaxTraceSize, ReviveUpTo: 1,
		Pool: spanlog.NewPool(16<<20, 2), Epoch: clock.NewEpoch(), Seed: index.Seed{1, 2},
		Limits:       shard.Limits{Sampled: 100, Dropped: 100, Records: 20, Ties: 100, TiesPerTrace: 10},
		LinksPerSpan: 10, Numbers: shard.Numbers{LinkedNumber: linkedNumber},
	}
	b := buffer.New(shared, 2, v, zap.NewNop())
	s := &scene{t: t, next: new(next)}
	services, stages := new(tally.Services), new(tally.Stages)
	output := &delivery.Output{
		Settings: delivery.Settings{Patience: time.Hour},
		Next:     s.next, Names: names, Buffer: b, Services: services, Stages: stages, Logger: zap.NewNop(),
	}
	output.Open(destinations, 2)
	backlogs := &budget.Backlogs{Limit: 8 << 20, GaveUp: output.GaveUp}
	backlogs.Open(b, len(destinations))
	s.View = &View{
		Buffer: b, Versions: version.NewVersions(names, v), Budget: budget.New(b, budget.Settings{Compression: budget.Always}), Output: output,
		Backlogs: backlogs, Services: services, Stages: stages,
	}
	s.Refusals = &refuse.Refusals{Memory: size{}, Disk: size{}, Delivery: size{}, Progress: s.Progress, Buffer: b, Logger: zap.NewNop()}
	return s
}

type size struct{}

func (size) String() string { return "1GiB" }

// testSpan describes a span.
type testSpan struct {
	trace, id    byte
	root, failed bool
	attribute    string
	end          time.Duration
	link         byte
	rv           string
	name         string
}

func idOf(n byte) wire.TraceID { return wire.TraceID{n, 15: n} }

// add accepts spans.
func (s *scene) add(spans ...testSpan) {
	s.t.Helper()
	td := ptrace.NewTraces()
	for _, spec := range spans {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", "shop")
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetTraceID(pcommon.TraceID(idOf(spec.trace)))
		span.SetSpanID(pcommon.SpanID{spec.id + 1})
		if !spec.root {
			span.SetParentSpanID(pcommon.SpanID{0xff})
		}
		if spec.failed {
			span.Status().SetCode(ptrace.StatusCodeError)
		}
		if spec.attribute != "" {
			span.Attributes().PutStr(spec.attribute, "yes")
		}
		span.SetStartTimestamp(1e9)
		span.SetEndTimestamp(pcommon.Timestamp(1e9 + spec.end))
		span.SetName(spec.name)
		if spec.link != 0 {
			span.Links().AppendEmpty().SetTraceID(pcommon.TraceID(idOf(spec.link)))
		}
		if spec.rv != "" {
			span.TraceState().FromRaw("ot=rv:" + spec.rv)
		}
	}
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(s.t, err)
	r := new(wire.Request)
	require.NoError(s.t, r.Scan(b))
	var in intake.Request
	in.Prepare(r, s.Versions.Current(), s.Buffer.Seed, 2)
	require.NoError(s.t, s.Buffer.Add(&in, never))
	s.Appended.Add(int64(len(spans)))
	for resource, amount := range in.ByResource {
		counts := s.Services.Of(resource)
		counts.In.Spans.Add(amount.Spans)
		counts.In.Bytes.Add(amount.Bytes)
	}
}

// due performs the work that is due.
func (s *scene) due() {
	for _, m := range s.Buffer.Members {
		for more := true; more; {
			m.Lock()
			_, more, _ = m.Due(s.Buffer.Now())
			s.Buffer.Leave(m)
		}
	}
}

// play sends traces of all kinds. 1 to 9 are decided, 10 to 12 pending.
func (s *scene) play() {
	s.Buffer.SetReady()
	s.add(
		testSpan{trace: 1, root: true, failed: true, end: 1500 * time.Millisecond}, testSpan{trace: 1, id: 1, rv: "c0000000000000"},
		testSpan{trace: 2, attribute: "debug"},
		testSpan{trace: 3, attribute: "silver"},
		testSpan{trace: 4, attribute: "gold", failed: true},
		testSpan{trace: 5, rv: "80000000000000"},
		testSpan{trace: 6},
		testSpan{trace: 7, link: 1},
		testSpan{trace: 8, attribute: "debug", link: 4},
		testSpan{trace: 9, rv: "7fffffffffffff"},
	)
	time.Sleep(10 * time.Second)
	s.due()
	time.Sleep(2500 * time.Millisecond)
	s.add(testSpan{trace: 10, root: true, failed: true, end: time.Second})
	s.add(testSpan{trace: 11}, testSpan{trace: 11, id: 1}, testSpan{trace: 12})
	s.add(testSpan{trace: 9, id: 2, failed: true}) // revived
	s.add(testSpan{trace: 2, id: 2}, testSpan{trace: 2, id: 3}, testSpan{trace: 1, id: 2, root: true})
	time.Sleep(1250 * time.Millisecond)
}

// run starts the senders, and returns a function that aborts them.
func (s *scene) run() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	drain := make(chan struct{})
	var all sync.WaitGroup
	for _, m := range s.Output.Senders() {
		all.Go(func() { m.Run(ctx, drain) })
	}
	return func() {
		cancel()
		all.Wait()
		s.Buffer.Close()
	}
}

var errBroken = errors.New("broken")
