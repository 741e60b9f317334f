package wire_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
)

// FuzzScan compares Scan with pdata: acceptance and contents.
func FuzzScan(f *testing.F) {
	for _, b := range wiretest.Seeds() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) { sameAsPdata(t, data) })
}

// sameAsPdata fails unless Scan and pdata agree on data, or data is nested deeper than Scan's limit.
func sameAsPdata(t *testing.T, data []byte) {
	t.Helper()
	before := bytes.Clone(data)
	var u ptrace.ProtoUnmarshaler
	_, protoErr := u.UnmarshalTraces(data)
	export := ptraceotlp.NewExportRequest()
	require.Equal(t, protoErr == nil, export.UnmarshalProto(data) == nil)

	var r wire.Request
	err := r.Scan(data)
	require.Equal(t, before, data, "Scan must not write")
	if protoErr != nil {
		require.Error(t, err, "pdata refuses it: %v", protoErr)
		var scanErr *wire.ScanError
		require.True(t, errors.As(err, &scanErr))
		require.GreaterOrEqual(t, scanErr.Offset, 0)
		require.LessOrEqual(t, scanErr.Offset, len(data))
		require.Empty(t, r.Spans)
		_, err = r.Accept(data, 1<<20)
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	sameView(t, export.Traces(), &r)
	accepted(t, data, &r)
	rebuilt(t, export.Traces(), &r)
}

// accepted checks that Accept returns what Scan returned, without spans that have no IDs or too large headers and without their
// empty parents, and needs no more memory than Count said.
func accepted(t *testing.T, data []byte, all *wire.Request) {
	t.Helper()
	for _, limit := range []int{0, 20, len(data)} {
		acceptedWithin(t, data, all, limit)
	}
}

func acceptedWithin(t *testing.T, data []byte, all *wire.Request, limit int) {
	t.Helper()
	var r wire.Request
	rejected, err := r.Accept(data, limit)
	require.NoError(t, err)
	var bodies, want []wire.Range
	for _, s := range r.Spans {
		require.Equal(t, r.Scopes[s.Scope].Resource, s.Resource)
		bodies = append(bodies, r.Resources[s.Resource].Body, r.Scopes[s.Scope].Body, s.Body)
	}
	var wantRejected wire.Rejected
	for _, s := range all.Spans {
		resource, scope := all.Resources[s.Resource].Body, all.Scopes[s.Scope].Body
		largest := len(wire.AppendScopeHeader(nil, scope.Of(data)))
		require.EqualValues(t, largest, all.Scopes[s.Scope].Header)
		require.EqualValues(t, len(wire.AppendResourceHeader(nil, resource.Of(data))), all.Resources[s.Resource].Header)
		if largest <= limit {
			largest = len(wire.AppendResourceHeader(nil, resource.Of(data)))
		}
		switch {
		case s.TraceID.IsZero() || s.ID.IsZero():
			wantRejected.InvalidIDs++
		case largest > limit:
			wantRejected.LargeHeaders++
			wantRejected.Largest = max(wantRejected.Largest, largest)
		default:
			want = append(want, resource, scope, s.Body)
		}
	}
	require.Equal(t, want, bodies)
	require.Equal(t, wantRejected, rejected)
	n := wire.Count(data)
	require.Less(t, len(r.Resources), n.Resources)
	require.Less(t, len(r.Scopes), n.Scopes)
	require.Less(t, len(r.Spans), n.Spans)
	require.LessOrEqual(t, n.Bytes(), int64(4*len(data)+1024))
}

// sameView compares everything visible of td with the request's view of it.
func sameView(t *testing.T, td ptrace.Traces, r *wire.Request) {
	t.Helper()
	require.Len(t, r.Resources, td.ResourceSpans().Len())
	require.Len(t, r.Spans, td.SpanCount())
	scope, span := 0, 0
	for i, rs := range td.ResourceSpans().All() {
		body := r.Resources[i].Body.Of(r.Bytes)
		for _, b := range [][]byte{body, wire.AppendResourceHeader(nil, body)} {
			sameAttributes(t, rs.Resource().Attributes(), wire.ResourceAttributes(b), func(key string) (wire.Value, bool) { return wire.ResourceAttribute(b, key) })
		}
		for _, ss := range rs.ScopeSpans().All() {
			require.Less(t, scope, len(r.Scopes))
			require.EqualValues(t, i, r.Scopes[scope].Resource)
			body := r.Scopes[scope].Body.Of(r.Bytes)
			for _, b := range [][]byte{body, wire.AppendScopeHeader(nil, body)} {
				sameAttributes(t, ss.Scope().Attributes(), wire.ScopeAttributes(b), func(key string) (wire.Value, bool) { return wire.ScopeAttribute(b, key) })
				require.Equal(t, ss.Scope().Name(), string(wire.ScopeName(b)))
				require.Equal(t, ss.Scope().Version(), string(wire.ScopeVersion(b)))
			}
			for _, s := range ss.Spans().All() {
				require.EqualValues(t, i, r.Spans[span].Resource)
				require.EqualValues(t, scope, r.Spans[span].Scope)
				sameSpan(t, s, &r.Spans[span], r.Bytes)
				span++
			}
			scope++
		}
	}
	require.Len(t, r.Scopes, scope)
}

func sameSpan(t *testing.T, want ptrace.Span, s *wire.Span, b []byte) {
	t.Helper()
	require.EqualValues(t, want.TraceID(), s.TraceID)
	require.EqualValues(t, want.SpanID(), s.ID)
	require.EqualValues(t, want.ParentSpanID(), s.ParentID)
	require.EqualValues(t, want.StartTimestamp(), s.Start)
	require.EqualValues(t, want.EndTimestamp(), s.End)
	require.EqualValues(t, want.Kind(), s.Kind)
	require.EqualValues(t, want.Status().Code(), s.Status)
	require.Equal(t, want.Flags(), s.Flags)
	require.Equal(t, want.Name(), string(s.Name.Of(b)))
	require.Equal(t, want.TraceState().AsRaw(), string(s.TraceState.Of(b)))
	body := s.Body.Of(b)
	sameAttributes(t, want.Attributes(), wire.SpanAttributes(body), func(key string) (wire.Value, bool) { return wire.SpanAttribute(body, key) })
	require.Equal(t, want.Status().Message(), string(wire.StatusMessage(body)))
	walked := func(yield func([]byte, wire.Value) bool) {
		walk := wire.WalkAttributes(body)
		for key, ok := walk.Next(); ok && yield(key, walk.Value()); key, ok = walk.Next() {
		}
	}
	sameAttributes(t, want.Attributes(), walked, func(key string) (wire.Value, bool) { return wire.SpanAttribute(body, key) })
	events := 0
	for b := range wire.SpanEvents(body) {
		sameEvent(t, want.Events().At(events), b)
		events++
	}
	require.Equal(t, want.Events().Len(), events)

	sameLinks(t, want.Links(), s.Linked, body)

	alone, err := wire.ParseSpan(bytes.Clone(body))
	require.NoError(t, err)
	require.Equal(t, s.ID, alone.ID)
	require.Equal(t, s.Unknown, alone.Unknown)
	require.Equal(t, s.Linked, alone.Linked)
	require.Equal(t, want.Name(), string(alone.Name.Of(body)))
}

func sameLinks(t *testing.T, want ptrace.SpanLinkSlice, linked bool, body []byte) {
	t.Helper()
	require.Equal(t, want.Len() > 0, linked)
	var wants []wire.TraceID
	for _, l := range want.All() {
		if !l.TraceID().IsEmpty() {
			wants = append(wants, wire.TraceID(l.TraceID()))
		}
	}
	require.Equal(t, wants, slices.Collect(wire.Links(body)))
}

func sameEvent(t *testing.T, want ptrace.SpanEvent, b []byte) {
	t.Helper()
	require.Equal(t, want.Name(), string(wire.EventName(b)))
	require.EqualValues(t, want.Timestamp(), wire.EventTime(b))
	for key := range want.Attributes().All() {
		first, _ := want.Attributes().Get(key)
		v, ok := wire.EventAttribute(b, key)
		require.True(t, ok, key)
		require.Equal(t, first.AsString(), v.AsString(), key)
	}
}

func sameAttributes(t *testing.T, want pcommon.Map, got func(func([]byte, wire.Value) bool), get func(string) (wire.Value, bool)) {
	t.Helper()
	type pair struct{ key, value, kind string }
	var wants, gots []pair
	for k, v := range want.All() {
		wants = append(wants, pair{k, v.AsString(), kinds[v.Type()].String()})
		first, _ := want.Get(k)
		value, ok := get(k)
		require.True(t, ok, "attribute %q", k)
		require.Equal(t, first.AsString(), value.AsString(), "attribute %q", k)
	}
	for k, v := range got {
		gots = append(gots, pair{string(k), v.AsString(), v.Kind().String()})
	}
	require.Equal(t, wants, gots)
	_, ok := get("no such key \x00")
	require.False(t, ok)
}

var kinds = map[pcommon.ValueType]wire.ValueKind{
	pcommon.ValueTypeEmpty: wire.Empty, pcommon.ValueTypeStr: wire.String, pcommon.ValueTypeBool: wire.Bool,
	pcommon.ValueTypeInt: wire.Int, pcommon.ValueTypeDouble: wire.Double, pcommon.ValueTypeSlice: wire.Array,
	pcommon.ValueTypeMap: wire.KvList, pcommon.ValueTypeBytes: wire.Bytes,
}

// rebuilt splits the request and puts it together again, and compares the result with pdata's view of the original, without empty
// parents.
func rebuilt(t *testing.T, want ptrace.Traces, r *wire.Request) {
	t.Helper()
	var b wire.Builder
	resource, scope := int32(-1), int32(-1)
	for _, s := range r.Spans {
		if s.Resource != resource {
			resource = s.Resource
			b.Resource(wire.AppendResourceHeader(nil, r.Resources[resource].Body.Of(r.Bytes)))
		}
		if s.Scope != scope {
			scope = s.Scope
			b.Scope(wire.AppendScopeHeader(nil, r.Scopes[scope].Body.Of(r.Bytes)))
		}
		b.Span(s.Body.Of(r.Bytes))
	}
	var u ptrace.ProtoUnmarshaler
	got, err := u.UnmarshalTraces(b.Bytes())
	require.NoError(t, err)

	want.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		rs.ScopeSpans().RemoveIf(func(ss ptrace.ScopeSpans) bool { return ss.Spans().Len() == 0 })
		return rs.ScopeSpans().Len() == 0
	})
	require.Equal(t, wiretest.Marshal(want), wiretest.Marshal(got))
}
