package trace_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/internal/lawtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestText(t *testing.T) { lawtest.RunData(t) }

func TestUncertainty(t *testing.T) {
	tr := lawtest.Parsed(t, `
		a - server shop/h1 0us 100.001ms
		b a client shop/h1 10ms 90.001ms
		c b server cart/h2 -300.001ms -240ms
		d c internal cart/h2 -310ms -280ms
		e 9 producer mail/h3 50.001ms 60ms
		f e consumer bell/h4 40.001ms 70ms`)
	type answer struct {
		ns uint64
		ok bool
	}
	got := map[string]answer{}
	for i := range tr.Spans {
		u, ok := tr.Uncertainty(&tr.Spans[i])
		got[lawtest.Short(tr.Spans[i].ID)] = answer{u, ok}
	}
	require.Equal(t, map[string]answer{
		"a": {0, true}, "b": {0, true}, "9": {0, true},
		"c": {10_000_000, true},
		"d": {0, false}, // moved by itself
		"e": {0, false}, // moved on one-sided evidence
		"f": {0, true},
	}, got)
}

// TestUncertaintyOfNothing: a clock whose offset is known exactly has the uncertainty 0.
func TestUncertaintyOfNothing(t *testing.T) {
	tr := &trace.Trace{Clocks: []trace.Clock{{Offset: 5}, {Offset: 5, Uncertainty: 7}, {Offset: 5, Uncertainty: -1}}}
	type answer struct {
		ns uint64
		ok bool
	}
	for i, want := range []answer{{0, true}, {7, true}, {0, false}} {
		s := &trace.Span{Timing: trace.Timing{Clock: i, Start: 10, End: 20, CorrectedStart: 15, CorrectedEnd: 25}}
		ns, ok := tr.Uncertainty(s)
		require.Equal(t, want, answer{ns, ok})
		s.Shift = 1
		_, ok = tr.Uncertainty(s)
		require.False(t, ok, "moved with a span above it")
	}
	ns, ok := tr.Uncertainty(&trace.Span{Timing: trace.Timing{Clock: -1}})
	require.Equal(t, answer{0, true}, answer{ns, ok})
}

func TestEntry(t *testing.T) {
	for text, want := range map[string]string{
		"a - server s/h 0s 1s":                           "a",
		"b a server s/h 0s 1s":                           "b",
		"b a server s/h 2s 3s\n d c internal s/h 0s 1s":  "d",
		"a - client s/h 0s 9s\n b - internal s/h 1s 2s":  "b",
		"a - client s/h 1s 9s\n d c internal s/h 0s 10s": "a",
	} {
		tr := lawtest.Parsed(t, text)
		require.Equal(t, want, lawtest.Short(tr.Spans[tr.Entry()].ID), text)
	}
	require.Equal(t, -1, (&trace.Trace{Primary: -1}).Entry())
}

func TestFlags(t *testing.T) {
	all := trace.FlagLinkSelf<<1 - 1
	require.Equal(t, []string{
		"orphan", "duplicate", "merged", "shared_id", "own_parent", "cycle", "unfinished", "inverted", "no_start", "far_future",
		"late", "residual", "link_to_self_or_ancestor",
	}, all.Names())
	require.Nil(t, trace.Flags(0).Names())
	require.Equal(t, "orphan,late", (trace.FlagOrphan | trace.FlagLate).String())
	for _, f := range []trace.Flags{trace.FlagNoStart, trace.FlagFarFuture, all} {
		require.False(t, f.OwnStart(), f)
	}
	for _, f := range []trace.Flags{0, trace.FlagInverted, all &^ trace.FlagNoStart &^ trace.FlagFarFuture} {
		require.True(t, f.OwnStart(), f)
	}
}

func TestEndsOfACall(t *testing.T) {
	for kind, want := range map[int32][2]bool{
		wire.KindServer: {true, false}, wire.KindConsumer: {true, false}, wire.KindClient: {false, true},
		wire.KindProducer: {false, true}, wire.KindInternal: {}, wire.KindUnspecified: {},
	} {
		s := &trace.Span{Kind: kind}
		require.Equal(t, want, [2]bool{s.IsServer(), s.IsClient()}, kind)
		require.Equal(t, s.IsServer(), s.MayHaveRemoteParent(), "%d, told by its kind", kind)
		for flags, remote := range map[uint32]bool{0x100: false, 0x300: true, 0x1: s.IsServer(), 0x200: s.IsServer()} {
			s.Data.Flags = flags
			require.Equal(t, remote, s.MayHaveRemoteParent(), "%d, flags %x", kind, flags)
		}
	}
}

func TestKindName(t *testing.T) {
	for kind, want := range map[int32]string{-1: "", 0: "unspecified", 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer", 6: ""} {
		require.Equal(t, want, trace.KindName(kind))
	}
}

func TestRawDuration(t *testing.T) {
	for _, c := range []struct{ start, end, want uint64 }{{1, 5, 4}, {5, 5, 0}, {5, 4, 0}, {0, 4, 0}, {4, 0, 0}} {
		require.Equal(t, c.want, (&trace.Timing{Start: c.start, End: c.end}).RawDuration(), c)
	}
}
