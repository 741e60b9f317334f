package judge

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo/match"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

type m = map[string]any

// judged returns a judge of one span by lists of conditions.
func judged(t *testing.T, s slitest.Span, lists ...any) *Judge {
	t.Helper()
	rules := new(Rules)
	for _, list := range lists {
		conditions, err := match.ParseList("bad", list)
		require.NoError(t, err)
		rules.List(conditions)
	}
	j := New(rules)
	set(j, slitest.Request(t, slitest.Traces(t, s)), s)
	return j
}

func set(j *Judge, r *wire.Request, s slitest.Span) {
	span := r.Spans[0]
	j.SetResource(Resource{Body: r.Resources[0].Body.Of(r.Bytes), Service: []byte(s.Service), Version: []byte(s.Version)})
	j.SetSpan(Span{Body: span.Body.Of(r.Bytes), Name: span.Name.Of(r.Bytes), Kind: uint8(span.Kind), Status: uint8(span.Status), Duration: span.End - span.Start})
}

// TestPresets checks which spans are bad by each preset, and why.
func TestPresets(t *testing.T) {
	const unset, fine, failed = ptrace.StatusCodeUnset, ptrace.StatusCodeOk, ptrace.StatusCodeError
	for _, tt := range []struct {
		status       ptrace.StatusCode
		attributes   m
		server, user string // reasons, empty where the span is good
	}{
		{unset, nil, "", ""},
		{fine, nil, "", ""},
		{failed, nil, "?", "?"},
		{unset, m{"http.response.status_code": 200}, "", ""},
		{unset, m{"http.response.status_code": 500}, "500", "500"},
		{unset, m{"http.status_code": "503"}, "503", "503"},
		{fine, m{"http.response.status_code": 500}, "", ""},
		{failed, m{"http.response.status_code": 500, "error.type": "x"}, "x", "x"},
		{failed, m{"http.response.status_code": 404}, "404", ""},
		{unset, m{"http.response.status_code": 404}, "", ""},
		{unset, m{"http.response.status_code": 408}, "", "408"},
		{failed, m{"http.response.status_code": 408}, "408", "408"},
		{failed, m{"http.response.status_code": 429}, "429", ""},
		{unset, m{"http.response.status_code": 504}, "504", "504"},
		{unset, m{"rpc.grpc.status_code": 0}, "", ""},
		{unset, m{"rpc.grpc.status_code": 14}, "UNAVAILABLE", "UNAVAILABLE"},
		{unset, m{"grpc.status_code": "4"}, "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"},
		{unset, m{"rpc.connect_rpc.error_code": "data_loss"}, "DATA_LOSS", "DATA_LOSS"},
		{unset, m{"rpc.status_code": "INTERNAL"}, "INTERNAL", "INTERNAL"},
		{unset, m{"rpc.response.status_code": "SERVER_TIMEOUT"}, "SERVER_TIMEOUT", "SERVER_TIMEOUT"},
		{unset, m{"grpc.code": "InvalidArgument"}, "", ""},
		{failed, m{"rpc.grpc.status_code": 3}, "INVALID_ARGUMENT", ""},
		{failed, m{"rpc.grpc.status_code": 5}, "NOT_FOUND", ""},
		{failed, m{"rpc.jsonrpc.error_code": -32602}, "-32602", ""},
		{unset, m{"rpc.jsonrpc.error_code": 14}, "", ""},
		{failed, m{"rpc.jsonrpc.error_code": 3}, "3", "3"},
		{unset, m{"error.type": "java.net.SocketTimeoutException"}, "", "java.net.SocketTimeoutException"},
		{unset, m{"error.type": "ETIMEDOUT"}, "", "ETIMEDOUT"},
		{unset, m{"error.type": "context deadline exceeded"}, "", "context deadline exceeded"},
		{failed, m{"error.type": "ValidationError", "http.response.status_code": 400}, "ValidationError", ""},
		{failed, m{"error.type": "timeout", "http.response.status_code": 400}, "timeout", "timeout"},
		// the newest attribute decides, and one that holds no code is passed over
		{unset, m{"http.status_code": 500, "http.response.status_code": 200}, "", ""},
		{unset, m{"http.response.status_code": 0, "http.status_code": 500}, "500", "500"},
		{unset, m{"http.response.status_code": "none", "http.status_code": 500}, "500", "500"},
		{unset, m{"rpc.status_code": "OK", "rpc.grpc.status_code": 14}, "", ""},
	} {
		t.Run(fmt.Sprint(tt.status, tt.attributes), func(t *testing.T) {
			j := judged(t, slitest.Span{Service: "a", Name: "b", Status: tt.status, Attributes: tt.attributes}, "server", "user")
			for list, want := range []string{tt.server, tt.user} {
				cause, bad := j.First(list)
				require.Equal(t, want != "", bad, match.Presets[list].Name)
				if bad && want != "?" {
					assert.Equal(t, want, string(j.ReasonOf(cause)))
				}
			}
		})
	}
}

// TestEachSpanIsJudgedAlone checks that nothing of a span or resource is taken for the next.
func TestEachSpanIsJudgedAlone(t *testing.T) {
	rules := new(Rules)
	text := func(v any) match.Text {
		parsed, err := match.ParseText("", v)
		require.NoError(t, err)
		return parsed
	}
	region, version := rules.Attribute("region", text("=~e.*")), rules.Version(text("!=1"))
	operation := rules.Operation(text("=~GET .*"))
	j := New(rules)
	for range 2 {
		for _, tt := range []struct {
			span                       slitest.Span
			region, version, operation bool
		}{
			{slitest.Span{Service: "a", Name: "GET x", Version: "1", Resource: m{"region": "eu"}}, true, false, true},
			{slitest.Span{Service: "a", Name: "POST x", Version: "2", Resource: m{"region": "us"}}, false, true, false},
			{slitest.Span{Service: "a", Name: "GET y", Resource: m{"region": "us"}, Attributes: m{"region": "eu-1"}}, true, true, true},
			{slitest.Span{Service: "a", Name: "", Resource: m{"region": "eu"}, Attributes: m{"region": 7}}, false, true, false},
			{slitest.Span{Service: "a", Name: "GET x"}, false, true, true},
		} {
			set(j, slitest.Request(t, slitest.Traces(t, tt.span)), tt.span)
			assert.Equal(t, []bool{tt.region, tt.version, tt.operation}, []bool{j.Meets(region), j.Meets(version), j.Meets(operation)}, tt.span)
		}
	}
	j.Release()
	assert.False(t, j.Holds())
}

// TestCacheIsBounded checks that more texts than the cache holds are all answered correctly.
func TestCacheIsBounded(t *testing.T) {
	rules := new(Rules)
	odd := rules.Operation(match.Text{Like: []string{".*[13579]"}})
	j := New(rules)
	for range 3 {
		for i := range 4 * cacheSize {
			j.SetSpan(Span{Name: fmt.Append(nil, "op", i)})
			require.Equal(t, i%2 == 1, j.Meets(odd), i)
		}
	}
}

func TestNoList(t *testing.T) {
	rules := new(Rules)
	assert.Equal(t, NoList, rules.List(nil))
	_, bad := New(rules).First(NoList)
	assert.False(t, bad)
}
