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

	"github.com/slowburn/slowburn/web/api"

	"github.com/spf13/cobra"
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

// newRetry returns the command that sends refused traces again.
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
			if err := r.retry(ctx, args[0]); err != nil {
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

// list asks for the refused traces. The gateway returns only the latest; total counts all of them.
func (r *refusals) list(ctx context.Context) (refused []api.RefusedTrace, total int64, err error) {
	var d api.Destinations
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
	return refused, total, checkKnown(r.destination, names)
}

// checkKnown returns an error, as of the gateway's POST, if the destination is not one of names.
func checkKnown(destination string, names []string) error {
	if slices.Contains(names, destination) {
		return nil
	}
	slices.Sort(names)
	text := fmt.Sprintf("There is no destination %q: there are %s.", destination, cmp.Or(strings.Join(slices.Compact(names), ", "), "none"))
	return exitError{errors.New(text), exitUnknown}
}

// retry sends a trace again.
func (r *refusals) retry(ctx context.Context, trace string) error {
	path := "/api/sampling/v1/refused/" + url.PathEscape(trace) + "/retry"
	if r.destination != "" {
		path += "?destination=" + url.QueryEscape(r.destination)
	}
	var answer struct{ Traces int }
	return r.ask(ctx, http.MethodPost, path, &answer, func() bool { return answer.Traces > 0 })
}

// retryAll sends all refused traces again.
func (r *refusals) retryAll(ctx context.Context, out io.Writer) error {
	path := "/api/sampling/v1/refused/retry"
	if r.destination != "" {
		path += "?destination=" + url.QueryEscape(r.destination)
	}
	var answer struct{ Traces *int }
	if err := r.ask(ctx, http.MethodPost, path, &answer, func() bool { return answer.Traces != nil }); err != nil {
		return err
	}
	text := "Nothing is refused."
	switch sent := *answer.Traces; {
	case sent == 1:
		text = "1 refused trace is sent again; if refused again, it is listed again."
	case sent > 1:
		text = fmt.Sprintf("%d refused traces are sent again; those refused again are listed again.", sent)
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

func printRefused(out io.Writer, list []api.RefusedTrace, total int64) error {
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

// printable returns a destination's text as one line that is safe to print on a terminal.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
