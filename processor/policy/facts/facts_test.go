package facts

import (
	"encoding/binary"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
)

// The span log stores records without knowing what they are.
var (
	_ *spanlog.Fact     = (*Record)(nil)
	_ *spanlog.Identity = (*Identity)(nil)
)

// spanAlone returns what a decision reads of a span that it reads itself.
func spanAlone(t testing.TB, v rule.SpanView) skeleton.Span {
	trace := rule.Trace{Spans: 1, Skeleton: func() iter.Seq[rule.SpanView] { return slices.Values([]rule.SpanView{v}) }}
	k := trace.Linked()
	require.NotNil(t, k)
	return k.Spans[0]
}

// randomSpan returns a span of any kind, status, time and evidence.
func randomSpan(rnd *rand.Rand) policytest.Span {
	s := policytest.Span{
		ID: byte(1 + rnd.IntN(255)), Parent: byte(rnd.IntN(256)), Name: policytest.Pick(rnd, "", "GET", "a longer name of an operation"),
		Kind: policytest.Pick(rnd, "", "internal", "server", "client", "client", "client", "producer", "consumer"), Status: policytest.Pick(rnd, "", "OK", "ERROR", "ERROR"),
		Start: time.Duration(rnd.Uint64()), End: time.Duration(rnd.Uint64()),
		Resource:   map[string]any{"service.name": policytest.Pick(rnd, "", "cart", "shop"), "host.name": policytest.Pick(rnd, "a", "b")},
		Attributes: map[string]any{},
	}
	if rnd.IntN(3) == 0 {
		s.Start, s.End = -policytest.Epoch, -policytest.Epoch // unknown
	}
	for key, values := range map[string][]any{
		"http.request.resend_count": {0, 1, 999, 1000, 5000, -1}, "http.response.status_code": {0, 1, 404, 502, 504, 999, 1000, -5},
		"network.peer.address": {"10.0.0.1"}, "rpc.grpc.status_code": {1, 4, 14}, "error.type": {"ECONNREFUSED", "timeout", "500"},
	} {
		if rnd.IntN(2) == 0 {
			s.Attributes[key] = values[rnd.IntN(len(values))]
		}
	}
	return s
}

// The facts of a span and of its resource are what the span itself says.
func TestFactsAreWhatTheSpanSays(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		view := policytest.Views(t, randomSpan(rnd))[0]
		var r Record
		require.True(t, Put(&r, &view))
		id := Identify(view.Resource)
		require.Equal(t, spanAlone(t, view), Span(&r, &id))
	}
}

// A kind or status that OTLP does not define has no facts: the span is read.
func TestWhatDoesNotFit(t *testing.T) {
	view := policytest.Views(t, policytest.Span{Kind: "client"})[0]
	var r Record
	for n, fits := range map[int32]bool{0: true, 5: true, 7: true, 8: false, -1: false, 1 << 30: false} {
		span := *view.Span
		span.Kind, view.Span = n, &span
		require.Equal(t, fits, Put(&r, &view), n)
	}
	for n, fits := range map[int32]bool{0: true, 2: true, 3: true, 4: false, -1: false, 1 << 30: false} {
		span := *view.Span
		span.Kind, span.Status, view.Span = 0, n, &span
		require.Equal(t, fits, Put(&r, &view), n)
	}
}

// Facts take no memory of the heap.
func TestFactsDoNotAllocate(t *testing.T) {
	view := policytest.Views(t, policytest.Span{Kind: "client", Name: "GET", Attributes: map[string]any{"http.request.resend_count": 1}})[0]
	var (
		r   Record
		id  Identity
		out skeleton.Span
	)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		Put(&r, &view)
		out = Span(&r, &id)
	}))
	require.EqualValues(t, 1, out.Failure.Resends)
}

// FuzzRecord reads any bytes as a record; what it reads is written as these bytes again, but for the bits that mean nothing.
func FuzzRecord(f *testing.F) {
	f.Add(make([]byte, RecordSize+IdentitySize))
	f.Add(slices.Repeat([]byte{0xff}, RecordSize+IdentitySize))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < RecordSize+IdentitySize {
			t.Skip()
		}
		r, id := Record(b[:RecordSize]), Identity(b[RecordSize:][:IdentitySize])
		span := Span(&r, &id)
		const unused = 32 - peerAt - 1
		binary.LittleEndian.PutUint32(r[40:], binary.LittleEndian.Uint32(r[40:])<<unused>>unused)
		var again Record
		require.True(t, encode(&again, &span))
		require.Equal(t, r, again)
	})
}
