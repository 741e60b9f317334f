package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/stretchr/testify/require"
)

// refusing is a gateway with refused traces. It lists at most two of them.
type refusing struct {
	refused []api.RefusedTrace
	broken  string // a trace that fails
	asked   []string
}

func (g *refusing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer secret" {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	if r.Method == http.MethodGet && r.URL.Path == "/base/api/sampling/v1/destinations" {
		d := api.Destinations{Destinations: []api.Destination{}, RefusedTotal: int64(len(g.refused))}
		d.Refused = g.refused[:min(2, len(g.refused))]
		for _, id := range []string{"otlp_grpc/a", "otlp_http/b"} {
			one := api.Destination{Destination: id}
			for _, r := range g.refused {
				if r.Destination == id {
					one.RefusedTraces++
				}
			}
			d.Destinations = append(d.Destinations, one)
		}
		_ = json.NewEncoder(w).Encode(d)
		return
	}
	if r.Method == http.MethodPost && r.URL.Path == "/base/api/sampling/v1/refused/retry" {
		g.retryAll(w, r)
		return
	}
	var id string
	if _, err := fmt.Sscanf(r.URL.Path, "/base/api/sampling/v1/refused/%32s", &id); err != nil || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	g.asked = append(g.asked, r.URL.String())
	before := len(g.refused)
	destination := r.URL.Query().Get("destination")
	if notThere(w, destination) {
		return
	}
	g.refused = slices.DeleteFunc(g.refused, func(t api.RefusedTrace) bool {
		return t.TraceID == id && (destination == "" || destination == t.Destination)
	})
	switch {
	case id == g.broken:
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"detail":"The disk is full."}`))
	case before == len(g.refused):
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"detail":"No destination refuses the trace."}`))
	default:
		_, _ = fmt.Fprintf(w, `{"traces":%d}`, before-len(g.refused))
	}
}

func notThere(w http.ResponseWriter, destination string) bool {
	if destination != "nope" {
		return false
	}
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(`{"detail":"There is no destination \"nope\": there are otlp_grpc/a, otlp_http/b."}`))
	return true
}

func (g *refusing) retryAll(w http.ResponseWriter, r *http.Request) {
	g.asked = append(g.asked, r.URL.String())
	destination := r.URL.Query().Get("destination")
	if notThere(w, destination) {
		return
	}
	if g.broken != "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"detail":"The disk is full."}`))
		return
	}
	before := len(g.refused)
	g.refused = slices.DeleteFunc(g.refused, func(t api.RefusedTrace) bool { return destination == "" || destination == t.Destination })
	_, _ = fmt.Fprintf(w, `{"traces":%d}`, before-len(g.refused))
}

func (g *refusing) retry(t *testing.T, args ...string) (string, error) {
	server := httptest.NewServer(g)
	defer server.Close()
	var out bytes.Buffer
	cmd := newRetry()
	cmd.SetOut(&out)
	cmd.SetErr(&bytes.Buffer{})
	cmd.SetArgs(append([]string{"--server", server.URL + "/base/", "--header", "Authorization: Bearer secret"}, args...))
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func refused(trace byte, destination, code, text string) api.RefusedTrace {
	return api.RefusedTrace{
		TraceID: fmt.Sprintf("%032x", trace), Destination: destination, Spans: 3, Bytes: 900, Code: code, Text: text,
		At: time.Date(2026, 1, 31, 12, 0, int(trace), 0, time.UTC),
	}
}

func three() []api.RefusedTrace {
	return []api.RefusedTrace{
		refused(3, "otlp_grpc/a", "INVALID_ARGUMENT", "span\t2:\n\x1b[31mno name"), refused(2, "otlp_http/b", "", "400"), refused(1, "otlp_grpc/a", "422", ""),
	}
}

func TestRetryLists(t *testing.T) {
	out, err := (&refusing{refused: three()}).retry(t)
	require.NoError(t, err)
	require.Equal(t, `TRACE                             DESTINATION  REFUSED               SPANS  BYTES  ANSWER
00000000000000000000000000000003  otlp_grpc/a  2026-01-31T12:00:03Z  3      900    INVALID_ARGUMENT: span 2: [31mno name
00000000000000000000000000000002  otlp_http/b  2026-01-31T12:00:02Z  3      900    400

These are the latest 2 of 3.
`, out)
	out, err = (&refusing{refused: three()}).retry(t, "--destination", "otlp_http/b")
	require.NoError(t, err)
	require.NotContains(t, out, "otlp_grpc/a")
	require.NotContains(t, out, "These are")

	out, err = (&refusing{}).retry(t)
	require.NoError(t, err)
	require.Equal(t, "Nothing is refused.\n", out)
}

func TestRetryUnknownDestination(t *testing.T) {
	for name, args := range map[string][]string{"list": nil, "one": {traceID}, "all": {"--all"}} {
		t.Run(name, func(t *testing.T) {
			_, err := (&refusing{refused: three()}).retry(t, append(args, "--destination", "nope")...)
			require.EqualError(t, err, `There is no destination "nope": there are otlp_grpc/a, otlp_http/b.`)
			var exit exitError
			require.True(t, errors.As(err, &exit))
			require.Equal(t, exitUnknown, exit.code)
		})
	}
}

func TestRetryOne(t *testing.T) {
	g := &refusing{refused: three()}
	id := g.refused[0].TraceID
	out, err := g.retry(t, id)
	require.NoError(t, err)
	require.Equal(t, "The trace "+id+" is sent again to every destination that refused it; if refused again, it is listed again.\n", out)
	require.Len(t, g.refused, 2)

	_, err = g.retry(t, id)
	require.EqualError(t, err, "No destination refuses the trace.")
	var exit exitError
	require.True(t, errors.As(err, &exit))
	require.Equal(t, exitUnknown, exit.code)

	out, err = g.retry(t, g.refused[0].TraceID, "--destination", "otlp_http/b")
	require.NoError(t, err)
	require.Contains(t, out, " is sent again to otlp_http/b; if refused again")
	require.Contains(t, g.asked[2], "?destination=otlp_http%2Fb")
}

func TestRetryAll(t *testing.T) {
	for name, c := range map[string]struct {
		gateway refusing
		args    []string
		want    string
		err     string
		asked   int
	}{
		"more than are listed": {gateway: refusing{refused: three()}, want: "3 refused traces are sent again; those refused again are listed again.\n", asked: 1},
		"of one destination":   {gateway: refusing{refused: three()}, args: []string{"--destination", "otlp_http/b"}, want: "1 refused trace is sent again; if refused again, it is listed again.\n", asked: 1},
		"nothing":              {want: "Nothing is refused.\n", asked: 1},
		"the gateway fails":    {gateway: refusing{refused: three(), broken: three()[0].TraceID}, err: "The disk is full.", asked: 1},
		"and one":              {args: []string{traceID}, err: "give a trace ID or --all, not both"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.gateway.retry(t, append([]string{"--all"}, c.args...)...)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, c.want, out)
			require.Len(t, c.gateway.asked, c.asked)
		})
	}
}

func TestRetryCannotAsk(t *testing.T) {
	for want, args := range map[string][]string{
		"418 I'm a teapot": {"--header", "Authorization: Bearer wrong", "--all"},
		"does not answer":  {"--server", "http://127.0.0.1:1"},
		"accepts at most":  {"a", "b"},
	} {
		g := &refusing{}
		cmd := newRetry()
		server := httptest.NewServer(g)
		cmd.SetOut(&bytes.Buffer{})
		cmd.SetErr(&bytes.Buffer{})
		cmd.SetArgs(append([]string{"--server", server.URL + "/base"}, args...))
		err := cmd.ExecuteContext(t.Context())
		server.Close()
		require.ErrorContains(t, err, want)
		require.False(t, errors.As(err, new(exitError)), want)
	}
}
