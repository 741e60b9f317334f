package match

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseText(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  Text
	}{
		{"checkout", Text{In: []string{"checkout"}}},
		{"=checkout", Text{In: []string{"checkout"}}},
		{"==x", Text{In: []string{"=x"}}},
		{"=!=x", Text{In: []string{"!=x"}}},
		{"=", Text{In: []string{""}}},
		{"", Text{In: []string{""}}},
		{7, Text{In: []string{"7"}}},
		{true, Text{In: []string{"true"}}},
		{"=~GET /api/v[12]/.*", Text{Like: []string{"GET /api/v[12]/.*"}}},
		{"=~/orders/", Text{Like: []string{"/orders/"}}},
		{"!=1.9.0", Text{NotIn: []string{"1.9.0"}}},
		{`!~1\.9\..*`, Text{NotLike: []string{`1\.9\..*`}}},
		{[]any{"b", "a", "=b", "=~c.*", "!=d", "!~e.*"}, Text{[]string{"a", "b"}, []string{"c.*"}, []string{"d"}, []string{"e.*"}}},
		// names that are used, whatever they look like
		{"GET /orders/{id}", Equal("GET /orders/{id}")},
		{"GET /orders/:id?", Equal("GET /orders/:id?")},
		{"GET /orders/[id]", Equal("GET /orders/[id]")},
		{`App\Jobs\dispatch`, Equal(`App\Jobs\dispatch`)},
		{"/", Equal("/")},
		{"/api/s", Equal("/api/s")},
		{"SELECT a, b", Equal("SELECT a, b")},
		{"process()", Equal("process()")},
		{"mysql:query", Equal("mysql:query")},
		{"a.b.c/Method", Equal("a.b.c/Method")},
		{"orders send", Equal("orders send")},
		{"=GET /*", Equal("GET /*")},
	} {
		got, err := ParseText("k", tt.value)
		require.NoError(t, err, tt.value)
		assert.Equal(t, tt.want, got, tt.value)
	}
}

// TestMistakes checks that each mistake is refused with its key and what to write.
func TestMistakes(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  string
	}{
		{"re:GET .*", `k: "re:GET .*" has a prefix of another tool; write "=~GET .*" for a regular expression, or "=re:GET .*" for this very text`},
		{"regex:GET .*", `write "=~GET .*"`},
		{"glob:GET *", `write "=~GET .*"`},
		{"prefix:GET", `write "=~GET.*"`},
		{"not:GET", `write "!=GET"`},
		{"exact:GET", `write "GET"`},
		{"/regex/", `has the slashes of a regular expression of another tool; write "=~regex" for a regular expression, or "=/regex/" for this very text`},
		{"/GET .*/i", `write "=~(?i)GET .*"`},
		{"~GET", `write "=~GET"`},
		{"~ GET", `write "=~GET"`},
		{"!GET", `write "!=GET"`},
		{"! GET", `write "!=GET"`},
		{"GET *", `looks like a pattern with *; write "=~GET .*" for a regular expression, or "=GET *" for this very text`},
		{"GET /v1.0/*", `write "=~GET /v1\\.0/.*"`},
		{"*", "leave the key out"},
		{"GET .*", `looks like a regular expression; write "=~GET .*"`},
		{"^GET /orders$", `write "=~GET /orders"`},
		{"GET|POST", `write "=~GET|POST"`},
		{`GET /orders/\d+`, `write "=~GET /orders/\\d+"`},
		{"GET /[0-9]+", `looks like a regular expression`},
		{"GET /v[12].+", `looks like a regular expression`},
		{"{{.operation}}", "is a template"},
		{"{{ operation }}", "is a template"},
		{"${SERVICE}", "is a variable"},
		{"$service", "is a variable"},
		{`{service="x"}`, "is an expression of another tool"},
		{`name == "x"`, "is an expression of another tool"},
		{`IsMatch(name, "x")`, "is an expression of another tool"},
		{">500", "compares numbers"},
		{"1.9.x", `write "=~1\\.9\\..*"`},
		{"^1.9", "looks like a regular expression"},
		{"'checkout'", "write checkout without them"},
		{`"checkout"`, "write checkout without them"},
		{" checkout", "begins or ends with a space"},
		{"=~", `k: "=~" has no pattern; write a regular expression after it`},
		{"!~ ", "has no pattern"},
		{"!=", `write "=~.+"`},
		{"=~ GET .*", `write "=~GET .*"`},
		{"!= x", `write "!=x"`},
		{1.1, `k: 1.1 is a number with a fraction, of which YAML drops zeros; write it in quotes, as in "1.10"`},
		{nil, "k: is empty"},
		{map[string]any{"a": 1}, "k: is a map"},
		{[]any{}, "k: is an empty list"},
		{[]any{"a", []any{"b"}}, "k[1]: is a list within a list"},
		{[]any{"a", "!=a"}, `k: "a" is demanded and negated at once`},
		{"=~(GET", `k: "(GET" is no RE2 regular expression: missing closing ) of the one at position 1`},
		{`=~GET \( (POST [)]`, `missing closing ) of the one at position 8`},
		{"=~GET)", `unexpected ) at position 4, ")"`},
		{"=~GET **", `invalid nested repetition operator at position 5, "**"`},
		{"=~a[z-a]", `invalid character class range at position 3, "z-a]"`},
		{"=~a[b", `missing closing ] at position 2, "[b"`},
		{"=~GET(?!x)", "RE2 has no look-ahead and look-behind at position 4"},
		{`=~(a)\1`, `invalid escape sequence at position 4, "\\1"`},
		{`=~a\`, `trailing backslash at end of expression at position 2`},
		{"=~a{1001}", `invalid repeat count at position 2, "{1001}"`},
	} {
		_, err := ParseText("k", tt.value)
		require.Error(t, err, tt.value)
		assert.ErrorContains(t, err, tt.want, tt.value)
	}
	_, err := ParseText("k", []any{"re:a", "b", "=~("})
	require.ErrorContains(t, err, "k[0]: ")
	require.ErrorContains(t, err, "k[2]: ", "all mistakes at once")
	_, err = ParseName("service", "a,b")
	require.ErrorContains(t, err, "write [a,b]")
	_, err = ParseKind("kind", "srv")
	require.ErrorContains(t, err, `"srv" is not one of unspecified, internal, server, client, producer, consumer`)
	kind, err := ParseKind("kind", []any{"SERVER", "SPAN_KIND_CLIENT"})
	require.NoError(t, err)
	assert.Equal(t, Equal("client", "server"), kind)
	_, err = ParseKind("kind", "=~serv")
	require.ErrorContains(t, err, "the pattern matches no kind")
	_, err = ParseKind("kind", "!=interal")
	require.ErrorContains(t, err, `"interal" is not one of`)
}

// TestQuoteIsRead checks that what Quote writes is read as the text itself.
func TestQuoteIsRead(t *testing.T) {
	for _, text := range []string{"a", "=a", "!=a", "=~a", "!~a", "!a", "re:a", "/a/", "GET *", "", "=", "{{a}}"} {
		got, err := ParseText("k", Quote(text))
		require.NoError(t, err, text)
		assert.Equal(t, Equal(text), got)
	}
}

func TestMatcher(t *testing.T) {
	for _, tt := range []struct {
		value    any
		yes, no  []string
		absent   bool
		describe string
	}{
		{"a", []string{"a"}, []string{"", "aa", "A"}, false, "x is a"},
		{[]any{"a", "b", "=~c.*"}, []string{"a", "b", "c", "cd"}, []string{"d", "ac"}, false, "x is a or b or matches c.*"},
		{"=~a|b", []string{"a", "b"}, []string{"ab", "aX", "Xb"}, false, "x matches a|b"},
		{"=~a.b", []string{"a\nb"}, []string{"ab"}, false, "x matches a.b"},
		{"!=a", []string{"", "b"}, []string{"a"}, true, "x is not a"},
		{[]any{"!=a", "!~b.*"}, []string{"c", ""}, []string{"a", "b", "bc"}, true, "x is not a and does not match b.*"},
		{[]any{"=~GET .*", "!=GET /healthz"}, []string{"GET /"}, []string{"GET /healthz", "POST /"}, false, "x matches GET .* and is not GET /healthz"},
		{[]any{"a", "b", "c", "d", "e", "f", "g", "h"}, []string{"a", "h"}, []string{"i"}, false, "x is a, b, c, d, e, f, g or h"},
		{[]any{"=~a", "=~b|c"}, []string{"a", "b", "c"}, []string{"ab"}, false, "x matches a or b|c"},
		{"=", []string{""}, []string{"a"}, false, `x is ""`},
	} {
		text, err := ParseText("k", tt.value)
		require.NoError(t, err)
		m := text.Compile()
		for _, s := range tt.yes {
			assert.True(t, m.MatchString(s), "%v %q", tt.value, s)
		}
		for _, s := range tt.no {
			assert.False(t, m.MatchString(s), "%v %q", tt.value, s)
		}
		assert.Equal(t, tt.absent, text.Absent())
		assert.Equal(t, tt.describe, text.Words("x"))
	}
	assert.True(t, Text{}.Compile().MatchString("anything"))
}

// FuzzText checks that any text is a condition or a mistake, and that a condition compiles.
func FuzzText(f *testing.F) {
	for _, s := range []string{"a", "=~a.*", "!~(", "re:a", "/a/", "=~a[z-a]", `=~\`, "=~(?<n>a)", "{{"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseText("k", s)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		c.Compile().MatchString(s)
		c.Words("x")
	})
}
