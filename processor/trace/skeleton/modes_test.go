package skeleton

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
)

// call is a client span of 100 ns that failed with the given evidence.
func call(e Evidence) Span {
	return Span{ID: 1, Service: 1, Name: 1, Kind: wire.KindClient, Start: 1000, End: 1100, Status: wire.StatusError, Failure: e}
}

// served is the server span of call.
func served(duration uint64, status int32) Span {
	return Span{ID: 2, Parent: 1, Service: 2, Kind: wire.KindServer, Start: 1010, End: 1010 + duration, Status: status}
}

func TestFailureModes(t *testing.T) {
	const ok = 1
	well := call(Evidence{})
	well.Status = ok
	again := call(Evidence{Code: 500})
	again.ID, again.Start, again.End, again.Status = 3, 1200, 1300, ok
	sibling := func(id, parent, start, end uint64, kind int32) Span {
		return Span{ID: id, Parent: parent, Service: 2, Kind: kind, Start: start, End: end}
	}
	for name, c := range map[string]struct {
		spans []Span
		want  []FailureMode
	}{
		"well":                       {[]Span{well, served(50, ok)}, nil},
		"only the server failed":     {[]Span{well, served(50, wire.StatusError)}, nil},
		"not connected":              {[]Span{call(Evidence{Reason: ReasonNotConnected})}, []FailureMode{FailureNeverSent}},
		"not connected, to a peer":   {[]Span{call(Evidence{Reason: ReasonNotConnected, Peer: true})}, []FailureMode{FailureUnobserved}},
		"not connected, with a code": {[]Span{call(Evidence{Reason: ReasonNotConnected, Code: 500})}, []FailureMode{FailureUnobserved}},
		"no server":                  {[]Span{call(Evidence{})}, []FailureMode{FailureUnobserved}},
		"501":                        {[]Span{call(Evidence{Code: 501})}, []FailureMode{FailureUnobserved}},
		"502":                        {[]Span{call(Evidence{Code: 502})}, []FailureMode{FailureIntermediary}},
		"504":                        {[]Span{call(Evidence{Code: 504})}, []FailureMode{FailureIntermediary}},
		"505":                        {[]Span{call(Evidence{Code: 505})}, []FailureMode{FailureUnobserved}},
		"399":                        {[]Span{call(Evidence{Code: 399})}, []FailureMode{FailureUnobserved}},
		"400":                        {[]Span{call(Evidence{Code: 400})}, []FailureMode{FailureCaller}},
		"499":                        {[]Span{call(Evidence{Code: 499})}, []FailureMode{FailureCaller}},
		"500 without a server":       {[]Span{call(Evidence{Code: 500})}, []FailureMode{FailureUnobserved}},
		"both failed":                {[]Span{call(Evidence{Code: 400}), served(50, wire.StatusError)}, []FailureMode{FailureServer}},
		"as long as the call":        {[]Span{call(Evidence{}), served(100, ok)}, []FailureMode{FailureResponseLost}},
		"longer than the call":       {[]Span{call(Evidence{}), served(101, ok)}, []FailureMode{FailureStillWorking}},
		"longer, gave up, a code":    {[]Span{call(Evidence{Code: 500, Reason: ReasonGaveUp}), served(101, ok)}, []FailureMode{FailureStillWorking}},
		"longer, and a code":         {[]Span{call(Evidence{Code: 500}), served(101, ok)}, nil},
		"not longer, and a code":     {[]Span{call(Evidence{Code: 500, Reason: ReasonGaveUp}), served(100, ok)}, nil},
		"two servers": {
			[]Span{well, served(50, ok), sibling(3, 1, 1020, 1030, wire.KindServer)}, []FailureMode{FailureDuplicateWork},
		},
		"a server and a span of the client's own": {[]Span{well, served(50, ok), sibling(3, 1, 1020, 1030, 1)}, nil},
		"a consumer is no server":                 {[]Span{call(Evidence{}), sibling(2, 1, 1020, 1030, wire.KindConsumer)}, []FailureMode{FailureUnobserved}},
		"the client tells of resends":             {[]Span{call(Evidence{Code: 400, Resends: 1})}, []FailureMode{FailureCaller, FailureRetries}},
		"repeated":                                {[]Span{inRoot(call(Evidence{Code: 500})), inRoot(again), root}, []FailureMode{FailureUnobserved, FailureRetries}},
		"repeated while the server works": {
			[]Span{inRoot(call(Evidence{Code: 500})), inRoot(again), root, served(201, ok), sibling(4, 3, 1210, 1220, wire.KindServer)},
			[]FailureMode{FailureRetries, FailureDuplicateWork},
		},
		"repeated after the server worked": {
			[]Span{inRoot(call(Evidence{Code: 500})), inRoot(again), root, served(200, ok), sibling(4, 3, 1210, 1220, wire.KindServer)},
			[]FailureMode{FailureRetries},
		},
		"repeated before the server worked": {
			[]Span{inRoot(call(Evidence{Code: 500})), inRoot(again), root, sibling(2, 1, 1220, 1230, wire.KindServer), sibling(4, 3, 1210, 1220, wire.KindServer)},
			[]FailureMode{FailureRetries},
		},
		"repeated at another service": {
			[]Span{inRoot(call(Evidence{Code: 500})), inRoot(again), root, served(201, ok), other(sibling(4, 3, 1210, 1220, wire.KindServer))},
			[]FailureMode{FailureRetries},
		},
		"repeated, and no server at work": {
			[]Span{inRoot(call(Evidence{Code: 500})), inRoot(again), root, sibling(2, 1, 1010, 1400, wire.KindServer), sibling(4, 3, 1210, 1220, 1)},
			[]FailureMode{FailureRetries},
		},
	} {
		var want FailureModes
		for _, m := range c.want {
			want = want.With(m)
		}
		require.Equal(t, want, skeletonOf(c.spans...).FailureModes(), name)
	}
}

// root is the caller.
var root = Span{ID: 9, Service: 1, Kind: wire.KindServer, Start: 900, End: 2000}

// inRoot puts a span below root.
func inRoot(s Span) Span {
	s.Parent = root.ID
	return s
}

// other gives a span another service.
func other(s Span) Span {
	s.Service = 3
	return s
}

func TestRetries(t *testing.T) {
	failed := func(id, start uint64) Span {
		return inRoot(Span{ID: id, Service: 1, Name: 1, Kind: wire.KindClient, Start: start, End: start + 5, Status: wire.StatusError})
	}
	well := func(s Span) Span { s.Status = 0; return s }
	named := func(s Span) Span { s.Name = 2; return s }
	ofKind := func(s Span, kind int32) Span { s.Kind = kind; return s }
	resent := func(s Span, n int32) Span { s.Failure.Resends = n; return s }
	for name, c := range map[string]struct {
		spans []Span
		want  int
	}{
		"one call":                  {[]Span{failed(1, 1000)}, 0},
		"the first did not fail":    {[]Span{well(failed(1, 1000)), failed(2, 1100)}, 0},
		"the second of two":         {[]Span{failed(1, 1000), well(failed(2, 1100))}, 1},
		"all of three":              {[]Span{failed(1, 1000), failed(2, 1100), failed(3, 1200)}, 2},
		"after one that did well":   {[]Span{failed(1, 1000), well(failed(2, 1100)), well(failed(3, 1200))}, 2},
		"another operation":         {[]Span{failed(1, 1000), named(failed(2, 1100))}, 0},
		"another service":           {[]Span{failed(1, 1000), other(failed(2, 1100))}, 0},
		"another kind":              {[]Span{failed(1, 1000), ofKind(failed(2, 1100), 1)}, 0},
		"internal work is repeated": {[]Span{ofKind(failed(1, 1000), 1), ofKind(failed(2, 1100), 1)}, 1},
		"what is entered is not":    {[]Span{ofKind(failed(1, 1000), wire.KindServer), ofKind(failed(2, 1100), wire.KindServer)}, 0},
		"nor consumed":              {[]Span{ofKind(failed(1, 1000), wire.KindConsumer), ofKind(failed(2, 1100), wire.KindConsumer)}, 0},
		"clients tell of more":      {[]Span{failed(1, 1000), resent(failed(2, 1100), 3)}, 3},
		"clients tell of less":      {[]Span{failed(1, 1000), resent(failed(2, 1100), 1), failed(3, 1200)}, 2},
		"clients tell each":         {[]Span{resent(failed(1, 1000), 2), resent(failed(2, 1100), 2)}, 4},
		"equal starts, by ID":       {[]Span{failed(1, 1000), well(failed(2, 1000))}, 1},
	} {
		require.Equal(t, c.want, skeletonOf(append(c.spans, root)...).Retries(), name)
	}
}

func TestNamesOfModes(t *testing.T) {
	var names []string
	for _, m := range AllFailureModes() {
		names = append(names, m.String())
		require.True(t, FailureModes(0).With(m).Any(FailureModes(0).With(m)), m)
		require.False(t, FailureModes(0).With(m).Any(^FailureModes(0).With(m)), m)
	}
	require.Equal(t, []string{
		"never_sent", "unobserved_peer", "intermediary", "server_failed", "response_lost", "server_still_working", "caller_error",
		"retries", "duplicate_work",
	}, names)
}
