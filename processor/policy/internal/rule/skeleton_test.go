package rule_test

import (
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
)

func linked(t *testing.T, spans int, views ...policytest.Span) *skeleton.Skeleton {
	list := policytest.Views(t, views...)
	tr := &rule.Trace{Spans: spans, Skeleton: func() iter.Seq[rule.SpanView] { return slices.Values(list) }}
	return tr.Linked()
}

// A trace is read once, and not used if it cannot be read whole.
func TestLinked(t *testing.T) {
	list := policytest.Views(t, policytest.Span{Name: "root", Kind: "server", Resource: map[string]any{"service.name": "cart"}},
		policytest.Span{Name: "call", Kind: "client", Parent: 1, Status: "ERROR", Start: 5, End: 9})
	reads := 0
	read := func() iter.Seq[rule.SpanView] {
		reads++
		return slices.Values(list)
	}
	tr := &rule.Trace{Spans: 2, Skeleton: read}
	require.False(t, tr.IsLinked())
	k := tr.Linked()
	require.True(t, tr.IsLinked())
	require.Same(t, k, tr.Linked())
	require.Equal(t, 1, reads)
	require.Len(t, k.Spans, 2)
	root, call := k.Spans[0], k.Spans[1]
	require.Equal(t, uint64(1)<<56, root.ID)
	require.Zero(t, root.Parent)
	require.Equal(t, root.ID, call.Parent)
	require.Equal(t, rule.NameHash([]byte("cart")), root.Service)
	require.Equal(t, rule.NameHash(nil), call.Service)
	require.Equal(t, rule.NameHash([]byte("call")), call.Name)
	require.EqualValues(t, wire.KindServer, root.Kind)
	require.EqualValues(t, wire.KindClient, call.Kind)
	require.EqualValues(t, wire.StatusError, call.Status)
	require.EqualValues(t, 4, call.End-call.Start)
	tr.Release()
	require.False(t, tr.IsLinked())
	tr.Release()

	tr = &rule.Trace{Spans: 3, Skeleton: read}
	reads = 0
	require.Nil(t, tr.Linked())
	require.Nil(t, tr.Linked())
	require.Equal(t, 1, reads, "what was not whole is not read again")
	require.Nil(t, (&rule.Trace{}).Linked())
	require.NotNil(t, linked(t, rule.MaxSkeleton, slices.Repeat([]policytest.Span{{ID: 1}}, rule.MaxSkeleton)...))
	require.Nil(t, linked(t, rule.MaxSkeleton+1, slices.Repeat([]policytest.Span{{ID: 1}}, rule.MaxSkeleton+1)...))
}

// The evidence of a client span about its call.
func TestEvidence(t *testing.T) {
	for _, c := range []struct {
		status     string
		attributes map[string]any
		want       skeleton.Evidence
	}{
		{"", map[string]any{"http.response.status_code": 500, "error.type": "timeout"}, skeleton.Evidence{}},
		{"", map[string]any{"http.request.resend_count": 2}, skeleton.Evidence{Resends: 2}},
		{"", map[string]any{"http.request.resend_count": -2}, skeleton.Evidence{}},
		{"", map[string]any{"http.request.resend_count": 1000}, skeleton.Evidence{Resends: 1000}},
		{"", map[string]any{"http.request.resend_count": 1001}, skeleton.Evidence{Resends: 1000}},
		{"ERROR", map[string]any{"http.request.resend_count": 1}, skeleton.Evidence{Resends: 1}},
		{"ERROR", map[string]any{"http.response.status_code": 500, "http.status_code": 501}, skeleton.Evidence{Code: 500}},
		{"ERROR", map[string]any{"http.response.status_code": 0, "http.status_code": 501}, skeleton.Evidence{Code: 501}},
		{"ERROR", map[string]any{"http.response.status_code": 1}, skeleton.Evidence{Code: 1}},
		{"ERROR", map[string]any{"http.response.status_code": 999}, skeleton.Evidence{Code: 999}},
		{"ERROR", map[string]any{"http.response.status_code": 1000}, skeleton.Evidence{}},
		{"ERROR", map[string]any{"http.response.status_code": 504}, skeleton.Evidence{Code: 504, Reason: skeleton.ReasonGaveUp}},
		{"ERROR", map[string]any{"http.response.status_code": 504, "error.type": "refused"}, skeleton.Evidence{Code: 504, Reason: skeleton.ReasonGaveUp}},
		{"ERROR", map[string]any{"network.peer.address": "10.0.0.1"}, skeleton.Evidence{Peer: true}},
		{"ERROR", map[string]any{"net.sock.peer.addr": "10.0.0.1"}, skeleton.Evidence{Peer: true}},
		{"ERROR", map[string]any{"rpc.grpc.status_code": 1}, skeleton.Evidence{Reason: skeleton.ReasonGaveUp}},
		{"ERROR", map[string]any{"rpc.grpc.status_code": 4}, skeleton.Evidence{Reason: skeleton.ReasonGaveUp}},
		{"ERROR", map[string]any{"rpc.grpc.status_code": 4, "error.type": "refused"}, skeleton.Evidence{Reason: skeleton.ReasonGaveUp}},
		{"ERROR", map[string]any{"rpc.grpc.status_code": 14}, skeleton.Evidence{}},
		{"ERROR", map[string]any{"error.type": "java.net.ConnectException"}, skeleton.Evidence{Reason: skeleton.ReasonNotConnected}},
		{"ERROR", map[string]any{"error.type": "ECONNREFUSED"}, skeleton.Evidence{Reason: skeleton.ReasonNotConnected}},
		{"ERROR", map[string]any{"error.type": "ReadTimeout"}, skeleton.Evidence{Reason: skeleton.ReasonGaveUp}},
		{"ERROR", map[string]any{"error.type": "ConnectTimeout"}, skeleton.Evidence{Reason: skeleton.ReasonNotConnected}},
		{"ERROR", map[string]any{"error.type": "500"}, skeleton.Evidence{}},
		{"ERROR", map[string]any{"error.type": strings.Repeat("x", 128-7) + "timeout"}, skeleton.Evidence{Reason: skeleton.ReasonGaveUp}},
		{"ERROR", map[string]any{"error.type": strings.Repeat("x", 128-6) + "timeout"}, skeleton.Evidence{}},
	} {
		k := linked(t, 1, policytest.Span{Kind: "client", Status: c.status, Attributes: c.attributes})
		require.Equal(t, c.want, k.Spans[0].Failure, "%v", c.attributes)
	}
	other := linked(t, 1, policytest.Span{Kind: "server", Status: "ERROR", Attributes: map[string]any{"http.response.status_code": 500}})
	require.Zero(t, other.Spans[0].Failure)
}

// Origin numbers change only how often a resource is read, whatever another trace had under a number.
func TestLinkedByOrigin(t *testing.T) {
	services := []string{"", "a", "b", "c"}
	for origins := range 3 {
		for shift := range uint64(4) {
			var spans []policytest.Span
			for i := range 12 {
				spans = append(spans, policytest.Span{ID: byte(i + 1), Start: time.Duration(i + 1), Resource: map[string]any{"service.name": services[(i+int(shift))%len(services)]}})
			}
			list := policytest.Views(t, spans...)
			for i := range list {
				switch origins {
				case 1:
					list[i].Origin = uint64(i%len(services)) + 1
				case 2: // some of them unknown
					list[i].Origin = (uint64(i%len(services)) + 1) * uint64(i%3/2)
				}
			}
			tr := &rule.Trace{Spans: len(list), Skeleton: func() iter.Seq[rule.SpanView] { return slices.Values(list) }}
			k := tr.Linked()
			for i := range k.Spans {
				require.Equal(t, rule.NameHash([]byte(services[(i+int(shift))%len(services)])), k.Spans[i].Service, "%d %d %d", origins, shift, i)
			}
			tr.Release()
		}
	}
}

// Facts are read in place of spans, unless they are not of all spans.
func TestLinkedByFacts(t *testing.T) {
	list := policytest.Views(t, policytest.Span{Name: "root"}, policytest.Span{Name: "call", Parent: 1})
	for _, c := range []struct {
		facts int
		all   bool
		reads int // of spans
	}{{2, true, 0}, {2, false, 1}, {1, true, 1}, {0, true, 1}, {0, false, 1}, {3, true, 1}} {
		reads := 0
		tr := &rule.Trace{Spans: 2, Skeleton: func() iter.Seq[rule.SpanView] { reads++; return slices.Values(list) }}
		tr.Facts = func(k *skeleton.Skeleton) bool {
			for i := range c.facts {
				k.Spans = append(k.Spans, skeleton.Span{ID: uint64(i + 1), Name: 77})
			}
			return c.all
		}
		k := tr.Linked()
		require.Len(t, k.Spans, 2)
		require.Equal(t, c.reads, reads, "%+v", c)
		require.Equal(t, c.reads == 0, k.Spans[0].Name == 77, "%+v", c)
		tr.Release()
	}
	require.Nil(t, (&rule.Trace{Spans: 1, Facts: func(*skeleton.Skeleton) bool { panic("it is not asked") }}).Linked())
}
