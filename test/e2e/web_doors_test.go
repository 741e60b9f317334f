//go:build e2e

package e2e

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/web/api"
)

const reloadPath = "/api/sampling/v1/policies/reload"

// ask sends a request with a Host, unless that is empty, and headers as pairs of name and value.
func (g *gateway) ask(t *testing.T, method, path, host string, headers ...string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+g.web+path, nil)
	require.NoError(t, err)
	r.Host = host
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(text)
}

// Without auth the gateway refuses pages of other sites and unknown names, and accepts changes from this machine, also by commands.
func TestWebDoors(t *testing.T) {
	g := startGateway(t, nil, "testdata/doors.yaml")
	for _, c := range []struct {
		method, path, host string
		headers            []string
		status             int
	}{
		{"GET", "/api/v1/query?query=up", "", nil, 200},
		{"GET", "/api/v1/query?query=up", "evil.example", nil, 421},
		{"GET", "/", "evil.example", nil, 421},
		{"POST", reloadPath, "evil.example", nil, 421},
		{"GET", "/healthz", "evil.example", nil, 200},
		{"GET", "/readyz", "evil.example", nil, 200},
		{"GET", "/api/v1/query?query=up", "LOCALHOST.:8080", nil, 200},
		{"GET", "/api/v1/query?query=up", "[::1]:8080", nil, 200},
		{"GET", "/api/v1/query?query=up", "gateway.team.example:80", nil, 200},
		{"GET", "/api/v1/query?query=up", "dashboard.example", nil, 200}, // external_url
		{"GET", "/api/v1/query?query=up", "", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"GET", "/api/v1/query?query=up", "", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"GET", "/jaeger/api/services", "", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"GET", "/", "", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200},
		{"POST", reloadPath, "", []string{"Origin", "http://evil.example"}, 403},
		{"POST", reloadPath, "", []string{"X-Forwarded-For", "192.0.2.1"}, 403},
		{"POST", "/api/v1/query?query=up", "", []string{"X-Forwarded-For", "192.0.2.1"}, 200}, // reads
		{"POST", reloadPath, "", []string{"Sec-Fetch-Site", "same-origin"}, 200},
	} {
		status, body := g.ask(t, c.method, c.path, c.host, c.headers...)
		assert.Equal(t, c.status, status, "%v: %s", c, body)
	}
	_, body := g.ask(t, "GET", "/", "evil.example")
	assert.Contains(t, body, "web::hosts")

	for _, args := range [][]string{{"retry", "--all"}, {"drain", "--timeout", "1m"}, {"drain", "--resume"}, {"health"}} {
		out, err := g.command(args...)
		assert.NoError(t, err, "%v: %s", args, out)
	}
	var me api.Caller
	g.get(t, "/api/access/v1/me", &me)
	assert.True(t, me.Operator)
	log := g.logged(t)
	assert.Contains(t, log, "change requested: POST /api/sampling/v1/drain")
	assert.Contains(t, log, "change refused")
}

// idp is an OpenID Connect provider: it answers its metadata and its key, and signs tokens.
type idp struct {
	*httptest.Server
	key *rsa.PrivateKey
}

func startIDP(t *testing.T) *idp {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p := &idp{key: key}
	mux := http.NewServeMux()
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	write := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(v) }
	}
	mux.HandleFunc("/.well-known/openid-configuration", write(map[string]any{
		"issuer": p.URL, "jwks_uri": p.URL + "/keys", "authorization_endpoint": p.URL, "token_endpoint": p.URL,
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
	}))
	mux.HandleFunc("/keys", write(map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1",
		"n": encoded(key.N.Bytes()), "e": encoded(big.NewInt(int64(key.E)).Bytes()),
	}}}))
	return p
}

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token returns a signed token for a person.
func (p *idp) token(t *testing.T, email string) string {
	t.Helper()
	claims, err := json.Marshal(map[string]any{"iss": p.URL, "aud": "slowburn", "sub": "id of " + email, "email": email, "exp": time.Now().Add(time.Hour).Unix()})
	require.NoError(t, err)
	text := encoded([]byte(`{"alg":"RS256","kid":"1"}`)) + "." + encoded(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, sum[:])
	require.NoError(t, err)
	return text + "." + encoded(signature)
}

// With auth the gateway accepts changes from the subjects in web::operators, as each extension names them, and its metrics need auth.
func TestWebOperators(t *testing.T) {
	provider := startIDP(t)
	ada, eve := "Bearer "+provider.token(t, "ada@example.com"), "Bearer "+provider.token(t, "eve@example.com")
	metrics := freePort(t)
	for name, c := range map[string]struct {
		auth              string
		operator, another string // Authorization headers; the other one may only read
		subject           string
	}{
		"oidc": {fmt.Sprintf("oidc: {issuer_url: %q, audience: slowburn, username_claim: email}\n  web: {auth: {authenticator: oidc}, operators: [ada@example.com]}",
			provider.URL), ada, eve, "ada@example.com"},
		"bearertokenauth": {"bearertokenauth: {token: secret}\n  web: {auth: {authenticator: bearertokenauth}, operators: [bearertokenauth]}",
			"Bearer secret", "", "bearertokenauth"},
	} {
		t.Run(name, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "auth.yaml")
			host, port, _ := strings.Cut(metrics, ":")
			require.NoError(t, os.WriteFile(config, []byte("extensions:\n  "+c.auth+"\nservice:\n  extensions: ["+name+", tsdb, slo, web]\n"+
				"  telemetry: {metrics: {level: normal, readers: [{pull: {exporter: {prometheus: {host: "+host+", port: "+port+"}}}}]}}\n"), 0o600))
			g := startGateway(t, nil, config)
			status, _ := g.ask(t, "POST", reloadPath, "")
			assert.Equal(t, http.StatusUnauthorized, status)
			status, body := g.ask(t, "POST", reloadPath, "", "Authorization", c.operator)
			assert.Equal(t, http.StatusOK, status, body)
			assert.Contains(t, g.logged(t), fmt.Sprintf(`"subject": %q`, c.subject))
			if c.another != "" {
				status, body = g.ask(t, "POST", reloadPath, "", "Authorization", c.another)
				assert.Equal(t, http.StatusForbidden, status)
				assert.Contains(t, body, "web::operators")
				status, body = g.ask(t, "GET", "/api/access/v1/me", "", "Authorization", c.another)
				assert.Equal(t, http.StatusOK, status)
				assert.Contains(t, body, `"operator":false`)
			}
			out, err := g.command("retry", "--all", "--header", "Authorization: "+c.operator)
			assert.NoError(t, err, out)
			out, err = g.command("retry", "--all")
			assert.Error(t, err)
			assert.Contains(t, out, "web::auth")

			status, _ = g.ask(t, "GET", "/metrics", "")
			assert.Equal(t, http.StatusUnauthorized, status)
			status, body = g.ask(t, "GET", "/metrics", "", "Authorization", c.operator)
			assert.Equal(t, http.StatusOK, status)
			assert.Contains(t, body, "otelcol_process_uptime")
		})
	}
}

// Clients that send half of a large request and wait hold a bounded number of connections and bytes, and block no others: probes are
// answered, and spans are accepted.
func TestSlowClientsOfTheDashboard(t *testing.T) {
	const clients, bound = 1500, 512 * 320 << 10 // bytes, for web::max_connections: headers, part of the body, and garbage
	g := startGateway(t, nil)
	before := residentBytes(t, g.cmd.Process.Pid)
	half := "POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 262000\r\nX: " +
		strings.Repeat("x", 60_000) + "\r\n\r\nquery="
	refused := 0
	for range clients {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", g.web)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, half); err != nil {
			refused++ // it was closed as the oldest one
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: soon}
	for range 10 {
		answer, err := client.Get("http://" + g.web + "/readyz")
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode)
	}
	for _, td := range newTraffic(3).trace(failing, time.Now()) {
		g.sendJSON(t, td)
	}
	grown := residentBytes(t, g.cmd.Process.Pid) - before
	t.Logf("%d clients with half a request of %d bytes each (%d cut off while sending): resident memory grew by %d MiB", clients, len(half), refused, grown>>20)
	assert.Less(t, grown, bound)
	assert.Contains(t, g.logged(t), "web::max_connections")
}

// Sends requests of other origins from a real browser: browser/doors.mjs checks the answers.
func TestWebDoorsInBrowser(t *testing.T) {
	host, port, _ := strings.Cut(freePort(t), ":")
	config := filepath.Join(t.TempDir(), "metrics.yaml")
	require.NoError(t, os.WriteFile(config, []byte(metricsAt(host, port)), 0o600))
	g := startGateway(t, nil, "testdata/sampling.yaml", "testdata/shadow.yaml", config)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>another site</title>")
	}))
	defer other.Close()
	artifacts, err := filepath.Abs("artifacts")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(artifacts, 0o750))
	browse := exec.CommandContext(t.Context(), "node", "doors.mjs", "http://"+g.web, other.URL, artifacts)
	browse.Dir = "browser"
	out, err := browse.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
	_, metrics := g.ask(t, "GET", "/metrics", "")
	assert.Regexp(t, `(?m)^otelcol_extension_web_refused_requests[_a-z]*\{.*reason="foreign_page".*\} 4$`, metrics)
	assert.Equal(t, 1, strings.Count(g.logged(t), "policies reloaded"), "only the operator's page reloads policies")
}

// metricsAt returns a configuration that serves the gateway's metrics at an address.
func metricsAt(host, port string) string {
	return "service: {telemetry: {metrics: {level: normal, readers: [{pull: {exporter: {prometheus: {host: " + host + ", port: " + port + "}}}}]}}}\n"
}
