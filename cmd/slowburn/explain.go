package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/spf13/cobra"
)

// newExplain returns the command that explains why a trace was sampled or not.
func newExplain() *cobra.Command {
	var g gateway
	cmd := &cobra.Command{
		Use:   "explain TRACE_ID",
		Short: "Explain why a trace was kept, or not",
		Long: "Ask a running gateway why it kept a trace, or not: the policy that decided, the votes of the others, and the spans " +
			"that had arrived.\n\nThe exit code is 0 if the decision is known, 3 if it is not (yet, or any more), 1 if the gateway " +
			"does not answer.",
		Args:         cobra.ExactArgs(1),
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			var e api.Decision
			err := g.ask(cmd.Context(), http.MethodGet, "/api/sampling/v1/decisions/"+url.PathEscape(args[0]), &e, func() bool {
				return e.Completeness != nil && e.DecidedAt != nil && e.FirstSpanAt != nil
			})
			if err != nil {
				return err
			}
			return printExplanation(cmd.OutOrStdout(), e)
		},
	}
	g.addFlags(cmd)
	return cmd
}

func printExplanation(out io.Writer, e api.Decision) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	by := ""
	if e.Policy != "" {
		by = " by the policy " + e.Policy
	}
	if e.CompositePolicy != "" {
		by += ", sub-policy " + e.CompositePolicy
	}
	c := e.Completeness
	lines := [][2]string{
		{"trace " + e.TraceID, strings.ReplaceAll(e.Verdict, "_", " ") + by},
		{"decided", fmt.Sprintf("%s, %s after its first span came: %s%s", e.DecidedAt.Format(time.RFC3339),
			e.DecidedAt.Sub(*e.FirstSpanAt), e.Reason, when(e.Early, " (early)"))},
		{"seen", fmt.Sprintf("%d span%s of %d bytes over %s, %s root, %s errors; %d came late", c.Spans, when(c.Spans != 1, "s"), c.Bytes,
			time.Duration(c.DurationSeconds*float64(time.Second)), with(c.RootSeen), with(c.Errors), c.LateSpans)},
		{"randomness", e.Randomness},
	}
	if e.Threshold != "" {
		lines = append(lines, [2]string{"threshold", fmt.Sprintf("%s: it stands for %.4g trace%s", e.Threshold, e.AdjustedCount, when(e.AdjustedCount != 1, "s"))})
	} else if e.Verdict == "sampled" {
		lines = append(lines, [2]string{"threshold", "none: the trace was not sampled by chance, so the number of traces that it stands for is unknown"})
	}
	lines = append(lines, [2]string{"policies", fmt.Sprintf("version %d", e.PolicyVersion)})
	dropped, ruled := false, false // by an earlier policy or rule
	for _, v := range e.Votes {
		said := vote(v)
		if e.Verdict == "dropped" && (v.Type != "drop" || dropped) {
			said = "not asked, as it was dropped"
		} else if ruled && v.Type == "rule" {
			said = "not asked, as a rule before it decided"
		}
		dropped = dropped || v.Type == "drop" && v.Acted
		ruled = ruled || v.Type == "rule" && v.Matched
		lines = append(lines, [2]string{"  " + v.Name, v.Type + ": " + said})
	}
	if s := e.Shadow; s != nil {
		lines = append(lines, [2]string{"shadow", strings.ReplaceAll(s.Verdict, "_", " ") + when(s.Policy != "", " by the policy "+s.Policy)})
	}
	for _, line := range lines {
		if _, err := fmt.Fprintf(w, "%s\t%s\n", line[0], line[1]); err != nil {
			return err
		}
	}
	return w.Flush()
}

// vote describes a policy's vote.
func vote(v api.PolicyVote) string {
	switch {
	case !v.Matched:
		return "does not match"
	case v.Type == "drop":
		return when(v.Acted, "drops it") + when(!v.Acted, "matches, but drops only a share: its randomness is not in it")
	case v.Type == "rule":
		return when(v.Acted, "decides: samples it") + when(!v.Acted, "decides: does not sample it")
	default:
		return when(v.Acted, "samples it") + when(!v.Acted, "matches, but does not sample it: its randomness is below the threshold")
	}
}

func with(b bool) string {
	if b {
		return "with"
	}
	return "without"
}

func when(b bool, text string) string {
	if b {
		return text
	}
	return ""
}
