package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// exitUnknown is the exit code of a command whose trace the gateway does not know, not yet or not any more. The other codes
// are 0 for success and 1 for a failure.
const exitUnknown = 3

// exitError is an error with an exit code.
type exitError struct {
	error
	code int
}

// gateway is a running gateway, with the flags that say how to reach it.
type gateway struct {
	server  string
	headers []string
}

func (g *gateway) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&g.server, "server", "http://127.0.0.1:8080", "the gateway's web::endpoint, with web::base_path")
	cmd.Flags().StringArrayVar(&g.headers, "header", nil, "a header of the request, for web::auth; may be given several times")
}

// ask sends a request to a path of the API and decodes the answer. It fails if valid does not take the answer for a
// gateway's. If the gateway answers with a problem, that is the error.
func (g *gateway) ask(ctx context.Context, method, path string, answer any, valid func() bool) error {
	const timeout = 10 * time.Second
	r, err := g.request(ctx, method, path)
	if err != nil {
		return err
	}
	status, body, err := send(&http.Client{Timeout: timeout}, r)
	if err != nil {
		return err
	}
	if status == http.StatusOK {
		if err = json.Unmarshal(body, answer); err != nil || !valid() {
			return fmt.Errorf("the answer of %s is not a gateway's: check --server", r.URL)
		}
		return nil
	}
	var problem struct{ Detail string }
	if err := json.Unmarshal(body, &problem); err != nil || problem.Detail == "" {
		return fmt.Errorf("%s answers %d %s: see --server", r.URL, status, http.StatusText(status))
	}
	err = errors.New(problem.Detail)
	if status == http.StatusNotFound {
		err = exitError{err, exitUnknown}
	}
	return err
}

// request returns a request to a path of the gateway, with the headers of the flags.
func (g *gateway) request(ctx context.Context, method, path string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(g.server, "/")+path, nil)
	if err != nil {
		return nil, fmt.Errorf("--server: %w", err)
	}
	for _, h := range g.headers {
		key, value, ok := strings.Cut(h, ":")
		if !ok {
			return nil, fmt.Errorf("--header %q: it must be like \"Authorization: Bearer ...\"", h)
		}
		r.Header.Add(strings.TrimSpace(key), strings.TrimSpace(value))
	}
	return r, nil
}

func send(client *http.Client, r *http.Request) (status int, body []byte, err error) {
	const most = 16 << 20
	answer, err := client.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("the gateway does not answer (see --server): %w", err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	body, err = io.ReadAll(io.LimitReader(answer.Body, most))
	return answer.StatusCode, body, err
}
