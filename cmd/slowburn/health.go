package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/spf13/cobra"
)

const healthHelp = `Ask a running gateway's /readyz whether it can take spans. It says nothing when it can, and with --verbose
what each component found.

The exit code is 0 if the gateway can take spans, 1 if it cannot or does not answer. An image's HEALTHCHECK and a unit's
ExecStartPost need no shell for it.`

// health asks a gateway whether it accepts spans.
type health struct {
	gateway
	timeout  time.Duration
	insecure bool
	verbose  bool
}

// newHealth returns the command that reports whether a gateway accepts spans.
func newHealth() *cobra.Command {
	var h health
	cmd := &cobra.Command{
		Use:          "health",
		Short:        "Report by the exit code whether a running gateway can take spans",
		Long:         healthHelp,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         h.run,
	}
	h.addFlags(cmd)
	cmd.Flags().DurationVar(&h.timeout, "timeout", 5*time.Second, "the longest wait for the gateway's answer")
	cmd.Flags().BoolVar(&h.insecure, "insecure", false, "accept any certificate of an https server, for a gateway on this machine")
	cmd.Flags().BoolVar(&h.verbose, "verbose", false, "print what each component found")
	return cmd
}

func (h *health) run(cmd *cobra.Command, _ []string) error {
	r, err := h.request(cmd.Context(), http.MethodGet, "/readyz")
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: h.timeout}
	if h.insecure {
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // asked for
	}
	status, body, err := send(client, r)
	if err != nil {
		return err
	}
	var answer struct {
		Ready      *bool
		Components []api.ComponentHealth
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Ready == nil {
		return fmt.Errorf("%s answers %d %s: see --server", r.URL, status, http.StatusText(status))
	}
	var blocking []string
	for _, c := range answer.Components {
		if h.verbose {
			fmt.Fprintf(cmd.OutOrStdout(), "%-5s %s: %s\n", when(c.OK, "ok")+when(!c.OK, "fails"), c.ID, c.Message)
		}
		if !c.OK && c.Blocking {
			blocking = append(blocking, c.ID+": "+c.Message)
		}
	}
	if status == http.StatusOK && *answer.Ready {
		return nil
	}
	if len(blocking) == 0 {
		return errors.New("the gateway cannot take spans")
	}
	return fmt.Errorf("the gateway cannot take spans: %s", strings.Join(blocking, "; "))
}
