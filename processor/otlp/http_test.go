package otlp

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestRefusesMalformedRequests(t *testing.T) {
	// A request > resource_spans > scope_spans > span with a trace ID of one byte, at byte 6.
	badID := []byte{0x0a, 7, 0x12, 5, 0x12, 3, 0x0a, 1, 0xff}
	onAndOff(t, func(t *testing.T, on bool) {
		g := start(t, map[string]any{"wire_path": on})
		tests := []struct {
			name, path, contentType string
			body                    []byte
			message                 string
		}{
			{"offset", "/v1/traces", "application/x-protobuf", badID, "malformed OTLP trace request at byte 6: Span.trace_id: is 1 bytes long, want 16 or none"},
			{"truncated", "/v1/traces", "application/x-protobuf; charset=utf-8", []byte{0x0a, 9, 1}, "at byte 0: ExportTraceServiceRequest.resource_spans: length reaches beyond"},
			{"JSON", "/v1/traces", "application/json", []byte(`{"resourceSpans": 3}`), "malformed OTLP trace request"},
			{"JSON ID", "/v1/traces", "application/json", []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"zz"}]}]}]}`), "malformed OTLP trace request"},
			{"not UTF-8", "/v1/traces", "application/json", []byte("{\"\xff\": tru\xff}"), ""},
			{"metrics", "/v1/metrics", "application/x-protobuf", []byte{0x0a, 9, 1}, "malformed OTLP metric request"},
			{"deep JSON", "/v1/traces", "application/json", deepJSON("resourceSpans"), "nested deeper than 10000"},
			{"deep metrics JSON", "/v1/metrics", "application/json", deepJSON("resourceMetrics"), "nested deeper than 10000"},
			{"deep metrics", "/v1/metrics", "application/x-protobuf", deepProtobuf(), "nested deeper than 10000"},
			{"metrics JSON", "/v1/metrics", "application/json", []byte(`[]`), "malformed OTLP metric request"},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				got := g.post(tt.path, tt.contentType, "", tt.body)
				assert.Equal(t, http.StatusBadRequest, got.code)
				assert.Equal(t, codes.InvalidArgument, got.status.Code())
				assert.Contains(t, got.status.Message(), tt.message)
				assert.Same(t, encodingOf(tt.contentType), encodingOf(got.encoding), "answered in the encoding of the request")
				assert.Empty(t, got.retryAfter)
			})
		}
		t.Run("gRPC", func(t *testing.T) {
			err := g.grpc.Invoke(t.Context(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export", badID, new([]byte), grpc.ForceCodecV2(rawCodec{}))
			assert.Equal(t, codes.InvalidArgument, status.Code(err))
			assert.ErrorContains(t, err, "at byte 6")
		})
		assert.Empty(t, g.take())
	})
}

// deepJSON and deepProtobuf have a resource attribute of 2,000,000 nested lists, on which pdata's decoding of protobuf overflows
// the stack.
const deep = 2_000_000

func deepJSON(resources string) []byte {
	return []byte(`{"` + resources + `":[{"resource":{"attributes":[{"key":"a","value":` +
		strings.Repeat(`{"arrayValue":{"values":[`, deep/4) + strings.Repeat(`]}}`, deep/4) + `}]}}]}`)
}

func deepProtobuf() []byte {
	var reversed []byte
	wrap := func(field byte) {
		length := binary.AppendUvarint(nil, uint64(len(reversed)))
		slices.Reverse(length)
		reversed = append(append(reversed, length...), field<<3|2)
	}
	for range deep {
		wrap(1) // ArrayValue.values
		wrap(5) // AnyValue.array_value
	}
	for _, field := range []byte{2, 1, 1, 1} { // value, attributes, resource, resource_metrics
		wrap(field)
	}
	slices.Reverse(reversed)
	return reversed
}

func TestTooDeepJSON(t *testing.T) {
	assert.False(t, tooDeepJSON([]byte(`{"a":"`+strings.Repeat(`[\"`, 20_000)+`"}`)), "in text")
	assert.False(t, tooDeepJSON([]byte(strings.Repeat(`[{}],`, 20_000))), "side by side")
	assert.False(t, tooDeepJSON([]byte(strings.Repeat(`[]`, 20_000))), "side by side without commas")
	assert.True(t, tooDeepJSON([]byte(`"\\"`+strings.Repeat(`[`, 10_001))))
	assert.True(t, tooDeepJSON([]byte(strings.Repeat(`[0,`, 10_001))), "other bytes close nothing")
}

func TestRefusesOtherRequests(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true})
	get, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+g.address("HTTP")+"/v1/traces", nil)
	require.NoError(t, err)
	got := g.do(get)
	assert.Equal(t, http.StatusMethodNotAllowed, got.code)
	assert.Contains(t, got.status.Message(), "POST")

	for _, contentType := range []string{"", "text/plain", "application/grpc", ";"} {
		got = g.post("/v1/traces", contentType, "", nil)
		assert.Equal(t, http.StatusUnsupportedMediaType, got.code, contentType)
		assert.Contains(t, got.status.Message(), "application/x-protobuf or application/json")
		assert.Equal(t, "application/json", got.encoding)
	}

	got = g.post("/v1/traces", "application/x-protobuf", "br", []byte{1})
	assert.Equal(t, http.StatusBadRequest, got.code)
	assert.Contains(t, got.status.Message(), "unsupported Content-Encoding: br")
	assert.Equal(t, "application/x-protobuf", got.encoding)

	got = g.post("/v1/traces", "application/x-protobuf", "gzip", compress(t, "gzip", bytes.Repeat([]byte("x"), 1000))[:20])
	assert.Equal(t, http.StatusBadRequest, got.code, "cut off in the middle")

	got = g.post("/v1/traces", "application/x-protobuf", "", nil)
	assert.Equal(t, http.StatusOK, got.code, "no spans are fine")
	assert.Empty(t, g.take())
}

// TestLimitsTheDecompressedSize sends bodies that are small on the wire and large when decompressed.
func TestLimitsTheDecompressedSize(t *testing.T) {
	onAndOff(t, func(t *testing.T, on bool) {
		g := start(t, map[string]any{"wire_path": on, "protocols": map[string]any{
			"http": map[string]any{"max_request_body_size": 100_000}, "grpc": map[string]any{"max_recv_msg_size_mib": 1}}})
		td, _ := someTraces(1, false)
		fits := bomb(td, 90_000)
		large := bomb(td, 2<<20)
		for _, compression := range []string{"", "gzip", "zstd", "snappy"} {
			for _, door := range doors {
				got := g.send(door, compression, fits)
				assert.Equal(t, codes.OK, got.status.Code(), "%s %s: %v", door, compression, got.status)
				assert.Len(t, g.take(), 1)

				got = g.send(door, compression, large)
				assert.Empty(t, g.take())
				if door == "grpc" {
					assert.Equal(t, codes.ResourceExhausted, got.status.Code())
					_, told := retryDelay(got.status)
					assert.False(t, told, "no use in trying again")
					continue
				}
				assert.Equal(t, http.StatusRequestEntityTooLarge, got.code, "%s %s", door, compression)
				assert.Contains(t, got.status.Message(), "max_request_body_size")
				assert.Equal(t, codes.InvalidArgument, got.status.Code())
			}
		}
	})
}

// bomb returns td with an attribute of n bytes that compress to nothing.
func bomb(td ptrace.Traces, n int) ptrace.Traces {
	out := ptrace.NewTraces()
	td.CopyTo(out)
	out.ResourceSpans().At(1).ScopeSpans().At(0).Spans().At(0).Attributes().PutStr("bomb", string(bytes.Repeat([]byte("a"), n)))
	return out
}

// TestCORS checks what docs/configuration.md says of browsers: a listed origin may send, and others may not.
func TestCORS(t *testing.T) {
	const named = "https://shop.example"
	g := start(t, map[string]any{"protocols": map[string]any{"http": map[string]any{"cors": map[string]any{"allowed_origins": []any{named}}}}})
	for origin, want := range map[string]string{named: named, "https://else.example": ""} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, "http://"+g.address("HTTP")+"/v1/traces", nil)
		require.NoError(t, err)
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", http.MethodPost)
		req.Header.Set("Access-Control-Request-Headers", "content-type")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, want, resp.Header.Get("Access-Control-Allow-Origin"))
		if want != "" {
			assert.Equal(t, "content-type", resp.Header.Get("Access-Control-Allow-Headers"))
		}
	}
	assert.Empty(t, g.misdirected())
}

// TestBodiesAreNotShared sends concurrently through reused buffers; each request's spans arrive unchanged.
func TestBodiesAreNotShared(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true})
	done := make(chan struct{})
	const senders, each = 4, 20
	for i := range senders {
		go func() {
			defer func() { done <- struct{}{} }()
			for range each {
				td := ptrace.NewTraces()
				s := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
				s.SetTraceID(pcommon.TraceID{9, byte(i)})
				s.SetSpanID(pcommon.SpanID{7, byte(i)})
				s.SetName(string(bytes.Repeat([]byte{'a' + byte(i)}, 10_000*(i+1))))
				body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
				if !assert.NoError(t, err) {
					return
				}
				if got := g.post("/v1/traces", "application/x-protobuf", "", body); !assert.Equal(t, http.StatusOK, got.code) {
					return
				}
			}
		}()
	}
	for range senders {
		<-done
	}
	count := map[byte]int{}
	for _, id := range g.take() {
		assert.EqualValues(t, 7, id[0])
		count[id[1]]++
	}
	assert.Equal(t, map[byte]int{0: each, 1: each, 2: each, 3: each}, count)
}
