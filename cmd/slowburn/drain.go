package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/spf13/cobra"

	"github.com/slowburn/slowburn/internal/clock"
)

const drainHelp = `Take a running gateway out of service: it refuses new spans with an error that makes senders go to another one, decides
what is undecided, and delivers what is kept. The command waits until nothing is left.

The exit code is 0 if nothing is left, 1 if a destination has not got everything within --timeout (it is named, and the spans
stay in the gateway), or if the gateway could not be asked. The gateway goes on refusing spans until --resume, or a restart.`

// drainer holds the flags of the command.
type drainer struct {
	gateway
	timeout time.Duration
	resume  bool
}

// newDrain returns the command that takes a gateway out of service.
func newDrain() *cobra.Command {
	var d drainer
	cmd := &cobra.Command{
		Use:          "drain",
		Short:        "Take a gateway out of service: refuse spans, decide and deliver those it has",
		Long:         drainHelp,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if d.resume {
				return d.takeAgain(cmd.Context(), cmd.OutOrStdout())
			}
			return d.drain(cmd.Context(), cmd.OutOrStdout())
		},
	}
	d.addFlags(cmd)
	cmd.Flags().DurationVar(&d.timeout, "timeout", time.Minute, "the longest wait for destinations to accept kept traces")
	cmd.Flags().BoolVar(&d.resume, "resume", false, "take spans again")
	return cmd
}

// post sends a POST to a path of the API, and returns the state of the drain.
func (d *drainer) post(ctx context.Context, path string) (state api.Drain, err error) {
	err = d.ask(ctx, http.MethodPost, "/api/sampling/v1/drain"+path, &state, func() bool { return state.Destinations != nil })
	return state, err
}

func (d *drainer) takeAgain(ctx context.Context, out io.Writer) error {
	if _, err := d.post(ctx, "/resume"); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "The gateway takes spans again.")
	return err
}

// drain polls until nothing is left to drain, and prints what is left whenever that changes.
func (d *drainer) drain(ctx context.Context, out io.Writer) error {
	const interval = 250 * time.Millisecond
	tick := clock.NewTicker(interval)
	defer tick.Stop()
	over := clock.After(d.timeout)
	said := ""
	for {
		state, err := d.post(ctx, "")
		if err != nil {
			return err
		}
		if state.Done {
			_, err := fmt.Fprintln(out, "Nothing is left: the gateway can be stopped. `slowburn drain --resume` makes it take spans again.")
			return err
		}
		if left := remaining(state); left != said {
			said = left
			if _, err := fmt.Fprintln(out, left); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-over:
			return errors.New(undrained(state, d.timeout))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// remaining returns one line about what is left.
func remaining(s api.Drain) string {
	if s.Reading {
		return "The gateway reads back its files."
	}
	return fmt.Sprintf("%d traces undecided, %d undelivered.", s.UndecidedTraces, s.UndeliveredTraces)
}

// undrained returns what each destination still waits for, and why.
func undrained(s api.Drain, timeout time.Duration) string {
	lines := []string{fmt.Sprintf("after %s some traces are not delivered; they stay in the gateway, which keeps trying and refuses new spans:", timeout)}
	for _, d := range s.Destinations {
		if d.Traces == 0 && d.RefusedTraces == 0 {
			continue
		}
		line := fmt.Sprintf("  %s: %d traces of %d spans wait (%s)", d.Destination, d.Traces, d.Spans, strings.ReplaceAll(d.State, "_", " "))
		if d.RefusedTraces > 0 {
			line += fmt.Sprintf(", %d refused for good (slowburn retry)", d.RefusedTraces)
		}
		if last := d.LastAnswer; last != nil && last.Class != "accepted" {
			line += fmt.Sprintf("; it answered %s %s", last.Code, last.Text)
		}
		lines = append(lines, line)
	}
	if len(lines) == 1 {
		lines = append(lines, "  "+remaining(s))
	}
	return strings.Join(lines, "\n")
}
