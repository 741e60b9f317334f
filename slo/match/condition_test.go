package match

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type m = map[string]any

func TestParseList(t *testing.T) {
	for _, tt := range []struct {
		value any
		words string
	}{
		{"server", Presets[0].Words},
		{[]any{"user"}, Presets[1].Words},
		{[]any{"server", m{"duration": ">2s"}}, Presets[0].Words + "; or it takes longer than 2s"},
		{m{"status": "error"}, "its status is error"},
		{m{HTTPKey: []any{"5xx", 429, "408-410", "409"}}, "its HTTP status is 408 to 410, 429 or 5xx"},
		{m{HTTPKey: ">=500"}, "its HTTP status is 500 or more"},
		{m{HTTPKey: "!=4xx"}, "its HTTP status is not 4xx"},
		{m{HTTPKey: "50x"}, "its HTTP status is 500 to 509"},
		{m{RPCKey: []any{14, "unavailable", "DeadlineExceeded", "canceled"}}, "its RPC status is CANCELLED, DEADLINE_EXCEEDED or UNAVAILABLE"},
		{m{RPCKey: -32602}, "its RPC status is -32602"},
		{m{"error.type": "=~.*Timeout.*", "kind": "SERVER"}, "its kind is server and its error.type matches .*Timeout.*"},
		{m{"duration": []any{">=100ms", "<1s"}}, "it takes 100ms or longer and takes less than 1s"},
		{m{"attributes": m{"app.result": "failed"}, "version": "!=1.10"}, "its version is not 1.10 and app.result is failed"},
		{m{"service": "a", "operations": []any{"b", "c"}}, "its service is a and its operation is b or c"},
	} {
		got, err := ParseList("bad", tt.value)
		require.NoError(t, err, tt.value)
		assert.Equal(t, tt.words, AnyWords(got))
	}
}

// TestEqualConditionsHaveOneKey checks that conditions that mean the same are equal, however they are written.
func TestEqualConditionsHaveOneKey(t *testing.T) {
	for _, group := range [][]any{
		{"server", []any{"server"}, []any{"server", "server"}, []any{m{"status": "error"}, "server"}},
		{m{HTTPKey: "5xx"}, m{HTTPKey: "500-599"}, m{HTTPKey: []any{"50x", "510-599"}}, m{HTTPKey: []any{"5XX", 503}}},
		{m{RPCKey: 14}, m{RPCKey: "UNAVAILABLE"}, m{RPCKey: "=unavailable"}, m{RPCKey: "14"}},
		{m{"operations": "a"}, m{"operations": []any{"=a", "a"}}},
		{m{"duration": ">2s"}, m{"duration": ">2000ms"}, m{"duration": []any{">2s", ">1s"}}},
		{[]any{m{"status": "error"}, m{"kind": "server"}}, []any{m{"kind": "Server"}, m{"status": "ERROR"}}},
	} {
		first, err := ParseList("bad", group[0])
		require.NoError(t, err)
		for _, other := range group[1:] {
			got, err := ParseList("bad", other)
			require.NoError(t, err, other)
			assert.Equal(t, first, got, other)
		}
	}
}

func TestConditionMistakes(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  string
	}{
		{"client", `bad: "client" is neither a preset nor a condition; write server or user, or a map such as {http.response.status_code: 5xx}`},
		{"5xx", "{http.response.status_code: 5xx}"},
		{"error", "{status: error}"},
		{">2s", `{duration: ">2s"}`},
		{"unavailable", "{rpc.status_code: UNAVAILABLE}"},
		{[]any{}, "bad: is an empty list"},
		{[]any{7}, "bad[0]: 7 is no condition"},
		{m{}, "bad: is an empty condition"},
		{m{"http.status_code": 500}, "write http.response.status_code, which is about all attributes that hold this code"},
		{m{"rpc.grpc.status_code": 14}, "write rpc.status_code"},
		{m{"operation": "a"}, `unknown key "operation"; write operations`},
		{m{"app.result": "x"}, "write attributes: {app.result: x}"},
		{m{"foo": "x"}, "the keys are service, kind,"},
		{m{HTTPKey: "=~5.."}, "is no HTTP status code"},
		{m{HTTPKey: "5x1"}, "is no HTTP status code"},
		{m{HTTPKey: 50}, "is no HTTP status code"},
		{m{HTTPKey: []any{503, "!=5xx"}}, "no code is in these ranges"},
		{m{"duration": "2s"}, "compares with nothing"},
		{m{"duration": ">2"}, `bad::duration: `},
		{m{"duration": "<0s"}, "is met by no span"},
		{m{"duration": ">=0s"}, "every span meets it"},
		{m{"duration": []any{">2s", "<1s"}}, "no span meets both bounds"},
		{m{"status": "failed"}, `"failed" is not one of unset, ok, error`},
		{m{"attributes": "x"}, "is no map"},
		{m{"attributes": m{"a": "re:x"}}, "bad::attributes::a: "},
	} {
		_, err := ParseList("bad", tt.value)
		require.Error(t, err, tt.value)
		assert.ErrorContains(t, err, tt.want, tt.value)
	}
	_, err := ParseList("bad", []any{"x", m{"status": "y", "kind": "z"}})
	require.Error(t, err)
	assert.Len(t, strings.Split(err.Error(), "\n"), 3, "all mistakes at once: %s", err)
}

// TestSpellings checks the table of attributes, and that no two keys of one length hide each other.
func TestSpellings(t *testing.T) {
	for i, s := range Spellings {
		assert.Equal(t, i, SpellingOf([]byte(s.Key)))
	}
	for _, key := range []string{"", "http.route", "http.response.status_cod_", "rpc.method", strings.Repeat("x", 100)} {
		assert.Equal(t, -1, SpellingOf([]byte(key)), key)
	}
}

func TestRPCNames(t *testing.T) {
	for _, name := range rpcNames {
		assert.Equal(t, name, RPCText(name))
		assert.Equal(t, name, RPCText([]byte(strings.ToLower(string(name)))))
		assert.Equal(t, name, RPCText([]byte(strings.ReplaceAll(string(name), "_", ""))))
	}
	for text, want := range map[string]string{"14": "UNAVAILABLE", "0": "OK", "Canceled": "CANCELLED", "17": "17", "-32602": "-32602",
		"SERVER_ERROR": "SERVER_ERROR", "": "", strings.Repeat("x", 99): strings.Repeat("x", 99)} {
		assert.Equal(t, want, string(RPCText([]byte(text))))
	}
	var scratch [20]byte
	assert.Equal(t, "UNAVAILABLE", string(RPCNumber(14, scratch[:])))
	assert.Equal(t, "-32602", string(RPCNumber(-32602, scratch[:])))
}

// TestPresetsDivideTheCodes checks that user calls every code of gRPC either the server's or the caller's.
func TestPresetsDivideTheCodes(t *testing.T) {
	for _, name := range rpcNames[1:] {
		server, caller := slices.Contains(failedRPC.In, string(name)), slices.Contains(callerRPC.In, string(name))
		assert.True(t, server != caller, "%s", name)
	}
	for _, code := range serverRPC.In {
		assert.Contains(t, failedRPC.In, code)
	}
}

// TestMatchingAllocatesNothing leaves regular expressions to the caches of package judge: the race detector makes their pools forget.
func TestMatchingAllocatesNothing(t *testing.T) {
	text, err := ParseText("k", []any{"a", "b", "!=GET /healthz"})
	require.NoError(t, err)
	matcher, code, name := text.Compile(), []byte("deadline_exceeded"), []byte("GET /api/orders")
	key := []byte("http.response.status_code")
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		matcher.Match(name)
		RPCText(code)
		SpellingOf(key)
	}))
}
