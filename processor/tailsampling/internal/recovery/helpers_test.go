package recovery

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// never is no deadline.
var never = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// process is a buffer with files, from start to end.
type process struct {
	*buffer.Buffer
	t     *testing.T
	store *Store
	names *version.Names
	logs  *observer.ObservedLogs
}

// setup is the configuration of a process.
type setup struct {
	directory    string
	shards       int
	destinations []string
	names        []string // of policies that are known before its own
	small        bool     // with small files, so that there are many, and journals that are trimmed
}

// newProcess keeps traces with errors, for one destination.
func newProcess(t *testing.T, directory string, shards int, before ...string) *process {
	t.Helper()
	return setup{directory: directory, shards: shards, destinations: []string{"next"}, names: before}.process(t)
}

// process keeps traces with errors. The directory is open, and not yet read back.
func (c setup) process(t *testing.T) *process {
	t.Helper()
	set, err := policy.Compile([]policy.Config{
		{Name: "errors", Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"ERROR"}}},
	}, policy.Options{})
	require.NoError(t, err)
	names := version.NewNames()
	for _, name := range c.names {
		_, err := names.Number(version.Name{Policy: name})
		require.NoError(t, err)
	}
	v, err := version.New(1, set, nil, names)
	require.NoError(t, err)
	shared := &shard.Shared{
		Destinations: c.destinations,
		Waits:        shard.Waits{Decision: time.Hour}, TraceSize: shard.MaxTraceSize, ReviveUpTo: 1, Mapped: true,
		Pool: spanlog.NewDiskPool(16<<20, 64<<20, c.shards), Epoch: clock.NewEpoch(), Seed: index.NewSeed(),
		Limits: shard.Limits{Sampled: 1000, Dropped: 1000},
	}
	if c.small {
		shared.Pool, shared.Limits = spanlog.NewDiskPool(1<<20, 64<<20, c.shards), shard.Limits{Sampled: 10, Dropped: 10}
	}
	core, logs := observer.New(zap.DebugLevel)
	b := buffer.New(shared, c.shards, v, zap.New(core))
	for _, m := range b.Members {
		m.Deliver = []chan struct{}{make(chan struct{}, 1)}
	}
	p := &process{Buffer: b, t: t, names: names, logs: logs}
	p.store = NewStore(c.directory, b, names, zap.New(core))
	require.NoError(t, p.store.Open())
	return p
}

// start returns a process that has read its directory back.
func start(t *testing.T, directory string, shards int, before ...string) *process {
	t.Helper()
	p := newProcess(t, directory, shards, before...)
	p.recover()
	return p
}

func (p *process) recover() {
	p.t.Helper()
	p.recoverWith(func() {})
}

// recoverWith does not flush files if onSyncFailed is nil.
func (p *process) recoverWith(onSyncFailed func()) {
	p.t.Helper()
	p.store.Recover(time.Hour, onSyncFailed, p.SetReady)
	p.store.Wait()
	require.True(p.t, p.Ready())
	require.NoError(p.t, p.Pool.Reserve(1<<16, 0))
}

// end ends the process in order. The files stay.
func (p *process) end() {
	if p.Ready() {
		p.Pool.Cancel(1 << 16)
	}
	p.Close()
	p.Pool.Close()
	require.NoError(p.t, p.store.Close())
}

// crash returns a copy of the directory as a kill would leave it now.
func (p *process) crash() string {
	to := p.t.TempDir()
	names, err := os.ReadDir(p.store.directory)
	require.NoError(p.t, err)
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(p.store.directory, name.Name()))
		require.NoError(p.t, err)
		require.NoError(p.t, os.WriteFile(filepath.Join(to, name.Name()), b, 0o600))
	}
	return to
}

func idOf(n byte) wire.TraceID { return wire.TraceID{n, 15: n} }

// add accepts a span of a trace.
func (p *process) add(trace, id byte, failed bool) {
	p.t.Helper()
	p.addTo(idOf(trace), id, failed)
}

// addTo accepts a span of the trace with this ID.
func (p *process) addTo(trace wire.TraceID, id byte, failed bool) {
	p.t.Helper()
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "s")
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID(trace))
	span.SetSpanID(pcommon.SpanID{id + 1})
	span.SetParentSpanID(pcommon.SpanID{0xff})
	if failed {
		span.Status().SetCode(ptrace.StatusCodeError)
	}
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(p.t, err)
	r := new(wire.Request)
	require.NoError(p.t, r.Scan(b))
	var in intake.Request
	in.Prepare(r, p.Members[0].Versions().Current(), p.Seed, len(p.Members))
	require.NoError(p.t, p.Add(&in, never))
}

// decide decides all pending traces.
func (p *process) decide() {
	for _, m := range p.Members {
		m.Lock()
		m.DecideAll(false, p.Now())
		p.Leave(m)
	}
}

// out takes the ready traces out of the shards, and with done delivers them, or else puts them back. It returns the traces with
// their number of spans, negative for late parts.
func (p *process) out(done bool, only ...byte) map[byte]int {
	got := map[byte]int{}
	for _, m := range p.Members {
		m.Lock()
		out := m.Outgoing(0)
		var back []index.Slot
		for k, more := out.Next(); more; k, more = out.Next() {
			out.Take(k.Slot, p.Now())
			read := 0
			for r, err := range out.Records(k.Slot, nil) {
				require.NoError(p.t, err)
				span, err := wire.ParseSpan(r.Body)
				require.NoError(p.t, err)
				require.Equal(p.t, k.ID, span.TraceID)
				name, _ := wire.ResourceAttribute(r.Resource, "service.name")
				require.Equal(p.t, "s", name.AsString())
				read++
			}
			require.Equal(p.t, read, k.Spans)
			require.Equal(p.t, "errors", p.names.Of(k.Policy).Policy)
			if k.Late {
				read = -read
			}
			got[k.ID[0]] += read
			if done && (len(only) == 0 || only[0] == k.ID[0]) {
				out.Delivered(k.Slot, p.Now())
			} else {
				back = append(back, k.Slot)
			}
		}
		for i := len(back) - 1; i >= 0; i-- {
			out.PutBack(back[i])
		}
		p.Leave(m)
	}
	return got
}

// finish makes late parts ready.
func (p *process) finish() {
	for _, m := range p.Members {
		m.Lock()
		m.FinishAll(p.Now())
		p.Leave(m)
	}
}
