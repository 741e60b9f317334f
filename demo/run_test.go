package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/slowburn/slowburn/demo/shop"
)

// TestTerminal gives the terminal lines, and looks at what it prints and switches.
func TestTerminal(t *testing.T) {
	var faults shop.Faults
	quit := 0
	talk := func(lines string) string {
		var out bytes.Buffer
		(&terminal{out: &out, faults: &faults, quit: func() { quit++ }}).read(bufio.NewScanner(strings.NewReader(lines)))
		return out.String()
	}
	assert.Equal(t, "errors ON: "+shop.Errors.Text()+"\n", talk("1\n"))
	assert.True(t, faults.On(shop.Errors))
	assert.Equal(t, "errors off: "+shop.Errors.Text()+"\n", talk(" errors \n"))
	assert.False(t, faults.On(shop.Errors))
	assert.Equal(t, "bad-deploy ON: "+shop.BadDeploy.Text()+"\n", talk("6\n"))
	for line, want := range map[string]string{
		"0": "there is no fault 0: it must be 1 to 6\n", "7": "there is no fault 7: it must be 1 to 6\n", "nothing": `there is no fault "nothing"`,
	} {
		assert.Contains(t, talk(line+"\n"), want)
	}
	menu := talk("\n")
	assert.Contains(t, menu, "q to stop")
	assert.Regexp(t, `(?m)^  1  errors +off  `+shop.Errors.Text()+`$`, menu)
	assert.Regexp(t, `(?m)^  6  bad-deploy +ON   `+shop.BadDeploy.Text()+`$`, menu)
	assert.Zero(t, quit)
	for i, word := range []string{"q", "quit", "exit"} {
		assert.Empty(t, talk(word+"\n1\n"), "what comes after it is not read")
		assert.Equal(t, i+1, quit)
	}
}

// output is what the demo prints, while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// counter counts the spans that the shop exports.
type counter struct {
	ptraceotlp.UnimplementedGRPCServer
	mu    sync.Mutex
	spans int
}

func (c *counter) Export(_ context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans += r.Traces().SpanCount()
	return ptraceotlp.NewExportResponse(), nil
}

func startCounter(t *testing.T) (*counter, string) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &counter{}
	server := grpc.NewServer()
	ptraceotlp.RegisterGRPCServer(server, c)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return c, listener.Addr().String()
}

var visitsLine = regexp.MustCompile(`\n(\d+) visits, (\d+) of them failed. Closing the shop.\n$`)

// The demo drives the shop with a gateway that runs already, until somebody stops it or its time is over.
func TestRun(t *testing.T) {
	for name, o := range map[string]options{
		"until q":           {rate: 20, faults: "errors, skewed-clock"},
		"for half a second": {rate: 20, faults: "errors, skewed-clock", duration: 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			c, endpoint := startCounter(t)
			o.endpoint = endpoint
			in, typed := io.Pipe()
			var out output
			ended := make(chan error, 1)
			go func() { ended <- run(t.Context(), o, in, &out) }()
			if o.duration == 0 {
				require.Eventually(t, func() bool {
					c.mu.Lock()
					defer c.mu.Unlock()
					return c.spans > 20
				}, time.Minute, 10*time.Millisecond)
				_, err := typed.Write([]byte("q\n"))
				require.NoError(t, err)
			}
			require.NoError(t, <-ended)
			assert.Regexp(t, `1  errors +ON `, out.String())
			assert.Regexp(t, `4  skewed-clock +ON `, out.String())
			assert.Regexp(t, `3  lost-response +off `, out.String())
			assert.NotContains(t, out.String(), "by itself")
			found := visitsLine.FindStringSubmatch(out.String())
			require.NotNil(t, found, out.String())
			visits, err := strconv.Atoi(found[1])
			require.NoError(t, err)
			failed, err := strconv.Atoi(found[2])
			require.NoError(t, err)
			assert.Positive(t, visits)
			assert.Less(t, failed, visits)
			assert.GreaterOrEqual(t, c.spans, 2*visits, "the last spans are exported")
		})
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	_, endpoint := startCounter(t)
	for want, o := range map[string]options{
		"--rate 0 must be above 0 and at most 1000 customers per second":    {endpoint: endpoint},
		"--rate -1 must be above 0":                                         {endpoint: endpoint, rate: -1},
		"--rate 1000.5 must be":                                             {endpoint: endpoint, rate: 1000.5},
		`there is no fault "none"`:                                          {endpoint: endpoint, rate: 1000, faults: "none"},
		"something listens on " + endpoint + " already: stop it, or use it": {endpoint: endpoint, rate: 1, gateway: "none"},
		"start the gateway: ":                                               {endpoint: "127.0.0.1:1", rate: 1, gateway: filepath.Join(t.TempDir(), "none")},
	} {
		t.Setenv(dataDirVariable, t.TempDir())
		assert.ErrorContains(t, run(t.Context(), o, strings.NewReader(""), io.Discard), want)
	}
}

// A gateway is given its configuration files and asked to end at the end.
func TestGatewayIsStopped(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(dataDirVariable, dir)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	endpoint := listener.Addr().String()
	require.NoError(t, listener.Close())
	script := filepath.Join(dir, "gateway.sh")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\necho \"$@\" hook $SLOWBURN_DEMO_WEBHOOK\n"+
		"trap 'echo asked; exit 0' TERM\nwhile true; do sleep 0.02; done\n"), 0o700)) //nolint:gosec // it is run
	go func() { // the endpoint is taken once the gateway has been started
		for {
			if text, _ := os.ReadFile(filepath.Join(dir, logFile)); len(text) > 0 {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		listener, err := (&net.ListenConfig{}).Listen(context.WithoutCancel(t.Context()), "tcp", endpoint)
		if assert.NoError(t, err) {
			t.Cleanup(func() { _ = listener.Close() })
		}
	}()
	o := options{gateway: script, endpoint: endpoint, config: "a.yaml,b.yaml"}
	g, err := startGateway(t.Context(), func(err error) { assert.NoError(t, err) }, o, "http://hook")
	require.NoError(t, err)
	g.stop()
	text, err := os.ReadFile(filepath.Join(dir, logFile))
	require.NoError(t, err)
	assert.Equal(t, "--config a.yaml --config b.yaml hook http://hook\nasked\n", string(text))
}
