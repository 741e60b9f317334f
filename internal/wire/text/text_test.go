package text_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
	"github.com/slowburn/slowburn/internal/wire/text"
)

// FuzzText compares repaired text with the same text repaired after decoding, and with a strict decoder.
func FuzzText(f *testing.F) {
	for _, seed := range textSeeds() {
		f.Add(seed)
	}
	f.Fuzz(sameText)
}

func TestText(t *testing.T) {
	for i, seed := range textSeeds() {
		t.Run(fmt.Sprint(i), func(t *testing.T) { sameText(t, seed) })
	}
}

// textSeeds have invalid text in each field that has text: the seeds with corrupted text.
func textSeeds() [][]byte {
	all := wiretest.Seeds()
	for _, seed := range all {
		var u ptrace.ProtoUnmarshaler
		td, err := u.UnmarshalTraces(seed)
		if err != nil {
			continue
		}
		for _, spoil := range []func(string) string{
			func(s string) string { return s + "\xff" },
			func(s string) string { return "\xed\xa0\x80" + s }, // a surrogate, whose replacement has the same length
			func(s string) string { return s + strings.Repeat("\xc3\xff", 60) + "é" },
		} {
			spoilt := ptrace.NewTraces()
			td.CopyTo(spoilt)
			rewrite(spoilt, spoil)
			all = append(all, wiretest.Marshal(spoilt))
		}
	}
	refs := wiretest.Msg{}.Len(3, wiretest.Msg{}.Str(1, "u\xff").Str(2, "\xfft").Str(3, "i\xff").Str(3, "").Str(4, "\xffd").Varint(9, 1)...).Str(77, "\xff unknown")
	deep := wiretest.Nested(9).Len(9, wiretest.KV("deep", wiretest.Msg{}.Len(6, wiretest.Msg{}.Len(1, wiretest.KV("\xff", wiretest.Msg{}.Len(5, wiretest.Msg{}.Len(1, wiretest.Msg{}.Str(1, "\xff")...)...))...)...))...)
	return append(all,
		wiretest.Msg{}.Len(1, wiretest.Msg{}.Len(1, refs...).Len(2, wiretest.Msg{}.Len(2, wiretest.ASpan()...)...)...),
		wiretest.InRequest(deep), wiretest.InRequest(wiretest.ASpan().Len(9, wiretest.KV("b", wiretest.Msg{}.Len(7, 0xff))...).Str(5, "\xff").Str(5, "valid")),
		wiretest.InRequest(wiretest.ASpan().Raw(0xaa, 0x80, 0).Raw(1, 0xff)), // a long tag
		wiretest.InRequest(wiretest.ASpan().Group(40).Str(5, "\xff")))
}

func sameText(t *testing.T, data []byte) {
	var r wire.Request
	if r.Scan(data) != nil {
		return
	}
	valid, rebuilt := true, wire.Builder{}
	var original wire.Builder
	resource, scope := int32(-1), int32(-1)
	for i := range r.Spans {
		s := &r.Spans[i]
		if s.Resource != resource {
			resource = s.Resource
			header := wire.AppendResourceHeader(nil, r.Resources[resource].Body.Of(r.Bytes))
			original.Resource(header)
			valid = sameIfValid(t, text.ValidResource, text.AppendValidResource, rebuilt.Resource, header) && valid
		}
		if s.Scope != scope {
			scope = s.Scope
			header := wire.AppendScopeHeader(nil, r.Scopes[scope].Body.Of(r.Bytes))
			original.Scope(header)
			valid = sameIfValid(t, text.ValidScope, text.AppendValidScope, rebuilt.Scope, header) && valid
		}
		body := s.Body.Of(r.Bytes)
		original.Span(body)
		valid = sameIfValid(t, text.ValidSpan, text.AppendValidSpan, rebuilt.Span, body) && valid
	}
	var strict collectorpb.ExportTraceServiceRequest
	if err := proto.Unmarshal(rebuilt.Bytes(), &strict); err != nil {
		require.NotContains(t, err.Error(), "UTF-8")
	}
	if err := proto.Unmarshal(original.Bytes(), &strict); err == nil {
		require.True(t, valid)
	}
	want := flat(wiretest.Decode(t, original.Bytes()), func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") })
	require.Equal(t, want, flat(wiretest.Decode(t, rebuilt.Bytes()), func(s string) string { return s }))
}

// sameIfValid appends a part once it is valid, and reports whether it was.
func sameIfValid(t *testing.T, valid func([]byte) bool, mend func(dst, b []byte) []byte, add func([]byte), b []byte) bool {
	t.Helper()
	mended := mend([]byte("before"), b)
	require.Equal(t, "before", string(mended[:6]))
	mended = mended[6:]
	require.True(t, valid(mended))
	add(mended)
	if valid(b) {
		require.Equal(t, string(b), string(mended))
	} else {
		require.NotEqual(t, string(b), string(mended))
	}
	return valid(b)
}

// rewrite changes all text in td.
func rewrite(td ptrace.Traces, text func(string) string) {
	for _, rs := range td.ResourceSpans().All() {
		rs.SetSchemaUrl(text(rs.SchemaUrl()))
		rewriteMap(rs.Resource().Attributes(), text)
		for _, ss := range rs.ScopeSpans().All() {
			ss.SetSchemaUrl(text(ss.SchemaUrl()))
			ss.Scope().SetName(text(ss.Scope().Name()))
			ss.Scope().SetVersion(text(ss.Scope().Version()))
			rewriteMap(ss.Scope().Attributes(), text)
			for _, s := range ss.Spans().All() {
				rewriteSpan(s, text)
			}
		}
	}
}

func rewriteSpan(s ptrace.Span, text func(string) string) {
	s.SetName(text(s.Name()))
	s.TraceState().FromRaw(text(s.TraceState().AsRaw()))
	s.Status().SetMessage(text(s.Status().Message()))
	rewriteMap(s.Attributes(), text)
	for _, e := range s.Events().All() {
		e.SetName(text(e.Name()))
		rewriteMap(e.Attributes(), text)
	}
	for _, l := range s.Links().All() {
		l.TraceState().FromRaw(text(l.TraceState().AsRaw()))
		rewriteMap(l.Attributes(), text)
	}
}

func rewriteMap(m pcommon.Map, text func(string) string) {
	before := pcommon.NewMap()
	m.MoveTo(before)
	for k, v := range before.All() {
		rewriteValue(v, text)
		v.CopyTo(m.PutEmpty(text(k)))
	}
}

func rewriteValue(v pcommon.Value, text func(string) string) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		v.SetStr(text(v.Str()))
	case pcommon.ValueTypeSlice:
		for _, v := range v.Slice().All() {
			rewriteValue(v, text)
		}
	case pcommon.ValueTypeMap:
		rewriteMap(v.Map(), text)
	}
}

// flat lists the contents of td, its text as text has it. Unlike rewrite it keeps attributes with equal keys.
func flat(td ptrace.Traces, text func(string) string) (all []any) {
	attributes := func(m pcommon.Map) {
		for k, v := range m.All() {
			all = append(all, text(k), flatValue(v, text))
		}
	}
	for _, rs := range td.ResourceSpans().All() {
		all = append(all, "resource", text(rs.SchemaUrl()), rs.Resource().DroppedAttributesCount())
		attributes(rs.Resource().Attributes())
		for _, ss := range rs.ScopeSpans().All() {
			all = append(all, "scope", text(ss.SchemaUrl()), text(ss.Scope().Name()), text(ss.Scope().Version()), ss.Scope().DroppedAttributesCount())
			attributes(ss.Scope().Attributes())
			for _, s := range ss.Spans().All() {
				all = append(all, s.TraceID(), s.SpanID(), s.ParentSpanID(), s.Kind(), s.Flags(), s.StartTimestamp(), s.EndTimestamp(), s.Status().Code(),
					s.DroppedAttributesCount(), s.DroppedEventsCount(), s.DroppedLinksCount(), text(s.Name()), text(s.TraceState().AsRaw()), text(s.Status().Message()))
				attributes(s.Attributes())
				for _, e := range s.Events().All() {
					all = append(all, "event", e.Timestamp(), text(e.Name()), e.DroppedAttributesCount())
					attributes(e.Attributes())
				}
				for _, l := range s.Links().All() {
					all = append(all, "link", l.TraceID(), l.SpanID(), l.Flags(), text(l.TraceState().AsRaw()), l.DroppedAttributesCount())
					attributes(l.Attributes())
				}
			}
		}
	}
	return all
}

func flatValue(v pcommon.Value, text func(string) string) any {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return text(v.Str())
	case pcommon.ValueTypeSlice:
		all := []any{"slice"}
		for _, v := range v.Slice().All() {
			all = append(all, flatValue(v, text))
		}
		return all
	case pcommon.ValueTypeMap:
		all := []any{"map"}
		for k, v := range v.Map().All() {
			all = append(all, text(k), flatValue(v, text))
		}
		return all
	}
	return v.Type().String() + v.AsString() // NaN is equal to itself
}
