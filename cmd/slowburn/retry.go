package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/slowburn/slowburn/processor/tailsampling"
)

const retryHelp = `Ask a running gateway to send a kept trace again that a destination refused for good, or list those that were refused,
the latest first, with the words of the destination.

A refused trace stays in the gateway as long as it is within tail_sampling::delivery_budget. One that is refused again is
listed again.

The exit code is 0 if the gateway did what it was asked, 3 if no destination refuses the trace (any more) or --destination
does not exist, 1 if the gateway could not be asked or the command is wrong.`

const retryExample = `  slowburn retry                                       # list what was refused
  slowburn retry 0af7651916cd43dd8448eb211c80319c      # send one trace again, to all that refused it
  slowburn retry --all --destination otlp_grpc/backend # send all again that one destination refused`

// refusals are the refused traces of a gateway, those of one destination if destination is set.
type refusals struct {
	gateway
	destination string
}

// newRetry makes the command that sends refused traces again.
func newRetry() *cobra.Command {
	var r refusals
	var all bool
	cmd := &cobra.Command{
		Use:          "retry [TRACE_ID | --all]",
		Short:        "Send a kept trace again that a destination refused, or list those refused",
		Long:         retryHelp,
		Example:      retryExample,
		Args:         cobra.MaximumNArgs(1),
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, out := cmd.Context(), cmd.OutOrStdout()
			switch {
			case all && len(args) > 0:
				return errors.New("give a trace ID or --all, not both")
			case all:
				return r.retryAll(ctx, out)
			case len(args) == 0:
				list, total, err := r.list(ctx)
				if err != nil {
					return err
				}
				return printRefused(out, list, total)
			}
			if _, err := r.retry(ctx, args[0], r.destination); err != nil {
				return err
			}
			_, err := fmt.Fprintf(out, "The trace %s is sent again to %s; if refused again, it is listed again.\n", args[0],
				when(r.destination == "", "every destination that refused it")+r.destination)
			return err
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "send every refused trace again")
	cmd.Flags().StringVar(&r.destination, "destination", "", "only what this destination refused")
	r.addFlags(cmd)
	return cmd
}

// list asks for the refused traces. The gateway lists the latest of all of them; total is how many there are.
func (r *refusals) list(ctx context.Context) (refused []tailsampling.RefusedTrace, total int64, err error) {
	var d tailsampling.Destinations
	err = r.ask(ctx, http.MethodGet, "/api/sampling/v1/destinations", &d, func() bool { return d.Destinations != nil })
	if err != nil || r.destination == "" {
		return d.Refused, d.RefusedTotal, err
	}
	var names []string
	for _, one := range d.Destinations {
		names = append(names, one.Destination)
		if one.Destination == r.destination {
			total += one.RefusedTraces
		}
	}
	for _, one := range d.Refused {
		if one.Destination == r.destination {
			refused = append(refused, one)
		}
	}
	return refused, total, known(r.destination, names)
}

// known returns the error of the gateway's POST for a destination that is not one of names.
func known(destination string, names []string) error {
	if slices.Contains(names, destination) {
		return nil
	}
	slices.Sort(names)
	text := fmt.Sprintf("There is no destination %q: there are %s.", destination, cmp.Or(strings.Join(slices.Compact(names), ", "), "none"))
	return exitError{errors.New(text), exitUnknown}
}

// retry returns how many refusals it undid: a trace can be refused by several destinations, and in parts.
func (r *refusals) retry(ctx context.Context, trace, destination string) (int, error) {
	path := "/api/sampling/v1/refused/" + url.PathEscape(trace) + "/retry"
	if destination != "" {
		path += "?destination=" + url.QueryEscape(destination)
	}
	var answer struct{ Traces int }
	err := r.ask(ctx, http.MethodPost, path, &answer, func() bool { return answer.Traces > 0 })
	return answer.Traces, err
}

// retryAll sends each refused trace again once, and lists in between, as the gateway only lists the latest.
func (r *refusals) retryAll(ctx context.Context, out io.Writer) error {
	sent := 0
	tried := map[[2]string]bool{}
	for more := true; more; {
		list, _, err := r.list(ctx)
		if err != nil {
			return stopped(sent, err)
		}
		more = false
		for _, one := range list {
			key := [2]string{one.TraceID, one.Destination}
			if tried[key] {
				continue
			}
			tried[key], more = true, true
			n, err := r.retry(ctx, one.TraceID, one.Destination)
			if gone := (exitError{}); errors.As(err, &gone) {
				continue // it was given up, or sent again by another
			}
			if err != nil {
				return stopped(sent, err)
			}
			sent += n
		}
	}
	if sent == 0 {
		_, err := fmt.Fprintln(out, "Nothing is refused.")
		return err
	}
	if sent == 1 {
		_, err := fmt.Fprintln(out, "1 refused trace is sent again; if refused again, it is listed again.")
		return err
	}
	_, err := fmt.Fprintf(out, "%d refused traces are sent again; those refused again are listed again.\n", sent)
	return err
}

func stopped(sent int, err error) error {
	if sent == 0 {
		return err
	}
	return fmt.Errorf("stopped after sending %d again: %w", sent, err)
}

func printRefused(out io.Writer, list []tailsampling.RefusedTrace, total int64) error {
	if len(list) == 0 && total == 0 {
		_, err := fmt.Fprintln(out, "Nothing is refused.")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TRACE\tDESTINATION\tREFUSED\tSPANS\tBYTES\tANSWER")
	for i := range list {
		r := &list[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", r.TraceID, r.Destination, r.At.Format(time.RFC3339), r.Spans, r.Bytes,
			printable(strings.TrimPrefix(r.Code+": "+r.Text, ": ")))
	}
	if total > int64(len(list)) {
		fmt.Fprintf(w, "\nThese are the latest %d of %d.\n", len(list), total)
	}
	return w.Flush()
}

// printable makes a line of a destination's words, which a terminal can show.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
