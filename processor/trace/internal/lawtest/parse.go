package lawtest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
)

// TraceID is the trace ID of all spans.
var TraceID = pcommon.TraceID{0xaa, 15: 1}

// Parse reads the input of a test: a line per span,
//
//	<span id> <parent id or -> <kind> <resource> <start> <end> [name=…] [flags=0x…] [scope=…] [state=…] [status=error]
//	    [link=<trace id or .>/<span id>[/flags]] [key=value]...
//
// where IDs are hex, a resource is service[/host.name[/pid]], and times are durations after 2025-09-01T00:00:00Z, or 0
// or "future". Everything else is an attribute.
func Parse(text string) (ptrace.Traces, error) {
	td := ptrace.NewTraces()
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) < 6 {
			return td, fmt.Errorf("too few fields: %s", line)
		}
		rs := td.ResourceSpans().AppendEmpty()
		SetResource(rs.Resource().Attributes(), fields[3])
		ss := rs.ScopeSpans().AppendEmpty()
		s := ss.Spans().AppendEmpty()
		s.SetTraceID(TraceID)
		s.SetSpanID(spanID(fields[0]))
		if fields[1] != "-" {
			s.SetParentSpanID(spanID(fields[1]))
		}
		s.SetKind(kinds[fields[2]])
		s.SetName("op-" + fields[0])
		s.SetStartTimestamp(testTime(fields[4]))
		s.SetEndTimestamp(testTime(fields[5]))
		for _, option := range fields[6:] {
			key, value, _ := strings.Cut(option, "=")
			setOption(ss, s, key, value)
		}
	}
	return td, nil
}

var kinds = map[string]ptrace.SpanKind{
	"server": ptrace.SpanKindServer, "client": ptrace.SpanKindClient, "internal": ptrace.SpanKindInternal,
	"producer": ptrace.SpanKindProducer, "consumer": ptrace.SpanKindConsumer, "unspecified": ptrace.SpanKindUnspecified,
}

// SetResource sets the attributes of a resource in Parse's form.
func SetResource(attrs pcommon.Map, text string) {
	parts := strings.Split(text, "/")
	attrs.PutStr("service.name", parts[0])
	if len(parts) > 1 && parts[1] != "" {
		attrs.PutStr("host.name", parts[1])
	}
	if len(parts) > 2 {
		attrs.PutStr("process.pid", parts[2])
	}
}

func setOption(ss ptrace.ScopeSpans, s ptrace.Span, key, value string) {
	switch key {
	case "name":
		s.SetName(value)
	case "flags":
		n, _ := strconv.ParseUint(value, 0, 32)
		s.SetFlags(uint32(n))
	case "scope":
		ss.Scope().SetName(value)
	case "state":
		s.TraceState().FromRaw(value)
	case "status":
		s.Status().SetCode(ptrace.StatusCodeError)
	case "late":
		s.Attributes().PutBool(attr.CachedDecision, true)
	case "link":
		parts := strings.Split(value, "/")
		l := s.Links().AppendEmpty()
		switch parts[0] {
		case ".":
			l.SetTraceID(TraceID)
		case "0":
		default:
			id := pcommon.TraceID{}
			copy(id[8:], idBytes(parts[0]))
			l.SetTraceID(id)
		}
		l.SetSpanID(spanID(parts[1]))
		if len(parts) > 2 {
			n, _ := strconv.ParseUint(parts[2], 0, 32)
			l.SetFlags(uint32(n))
		}
	default:
		s.Attributes().PutStr(key, value)
	}
}

func spanID(text string) pcommon.SpanID { return pcommon.SpanID(idBytes(text)) }

func idBytes(text string) []byte {
	b, err := hex.DecodeString(strings.Repeat("0", 16-len(text)) + text)
	if err != nil {
		panic(err)
	}
	return b
}

// Epoch is the zero of times.
var Epoch = time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC)

func testTime(text string) pcommon.Timestamp {
	switch text {
	case "0":
		return 0
	case "future":
		return 1 << 63
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return pcommon.NewTimestampFromTime(Epoch.Add(d))
}

// Kept returns the traces of td.
func Kept(td ptrace.Traces) *wire.Kept {
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		panic(err)
	}
	var r wire.Request
	var k wire.Kept
	if err := r.Scan(b); err != nil {
		panic(err)
	}
	if _, err := k.Fill(&r); err != nil {
		panic(err)
	}
	for i := range k.Spans {
		k.Spans[i].Omitted = false // a copy is a part of the trace that is put together
	}
	return &k
}

// Only assembles data with at most one trace.
func Only(td ptrace.Traces, opts assemble.Options) *trace.Trace {
	k := Kept(td)
	if len(k.Traces) == 0 {
		k.Begin(wire.KeptTrace{})
	}
	return assemble.One(k, opts)
}

// Parsed assembles spans in Parse's form.
func Parsed(t *testing.T, text string) *trace.Trace {
	t.Helper()
	td, err := Parse(text)
	require.NoError(t, err)
	return Only(td, assemble.Options{})
}

// Numbered returns the ID of the span with that number.
func Numbered(i int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], uint64(i))
	return id
}

// Short returns the ID in hex without leading zeros.
func Short(id wire.SpanID) string { return strings.TrimLeft(id.String(), "0") }
