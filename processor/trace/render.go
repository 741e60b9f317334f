package trace

import (
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/wire"
)

// maxIndent limits the indentation in String, so that its length stays proportional to the spans.
const maxIndent = 32

// String returns the canonical text of the trace, for people and for comparing traces. Times are relative to the trace's
// start, which is in the first line.
func (t *Trace) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "trace %s start=%d duration=%s spans=%d", pcommon.TraceID(t.ID), t.Start, ns(int64(t.End-t.Start)), t.Real())
	if t.Provisional {
		b.WriteString(" provisional")
	}
	if t.Orphans > 0 {
		fmt.Fprintf(&b, " orphans=%d", t.Orphans)
	}
	if n := len(t.Identical); n > 0 {
		fmt.Fprintf(&b, " identical=%d", n)
	}
	fmt.Fprintf(&b, " clock=%s\n", t.Clock)
	for i, c := range t.Clocks {
		if c.Status != ClockNone {
			t.writeClock(&b, i, c)
		}
	}
	for i := range t.Spans {
		t.writeSpan(&b, i)
	}
	for _, w := range t.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}

// Real is the number of spans that arrived, without copies.
func (t *Trace) Real() int {
	n := 0
	for i := range t.Spans {
		if !t.Spans[i].Synthetic {
			n++
		}
	}
	return n
}

func (t *Trace) writeClock(b *strings.Builder, i int, c Clock) {
	uncertainty := "unbounded"
	if c.Uncertainty >= 0 {
		uncertainty = "±" + ns(c.Uncertainty)
	}
	fmt.Fprintf(b, "clock %d %q offset=%s %s pairs=%d %s\n", i, c.Name, ns(c.Offset), uncertainty, c.Pairs, c.Status)
}

func (t *Trace) writeSpan(b *strings.Builder, i int) {
	s := &t.Spans[i]
	b.WriteString(strings.Repeat("  ", min(s.Depth, maxIndent)))
	if s.Depth > maxIndent {
		fmt.Fprintf(b, "(%d) ", s.Depth)
	}
	fmt.Fprintf(b, "- %s", short(s.ID))
	if s.Synthetic {
		b.WriteString(" missing")
		if s.Cause != CauseNone {
			fmt.Fprintf(b, "=%s", s.Cause)
		}
	} else {
		fmt.Fprintf(b, " %s %q %s clock=%d", strings.ToUpper(KindName(s.Kind)), s.Data.Name, s.Service, s.Clock)
	}
	fmt.Fprintf(b, " @%s +%s", ns(int64(s.CorrectedStart-t.Start)), ns(int64(s.Duration())))
	if o := s.Offset(); o != 0 {
		fmt.Fprintf(b, " moved=%s", ns(o))
	}
	if s.Residual != 0 {
		fmt.Fprintf(b, " residual=%s", ns(s.Residual))
	}
	if s.Flags != 0 {
		fmt.Fprintf(b, " [%s]", s.Flags)
	}
	if i == t.Primary {
		b.WriteString(" primary")
	}
	b.WriteByte('\n')
	for _, l := range s.Links {
		t.writeLink(b, s, l)
	}
}

func (t *Trace) writeLink(b *strings.Builder, s *Span, l Link) {
	fmt.Fprintf(b, "%s  link %s", strings.Repeat("  ", min(s.Depth, maxIndent)), l.Target)
	if l.Target == LinkTrace {
		fmt.Fprintf(b, " %s", l.Data.TraceID)
	}
	fmt.Fprintf(b, " %s", short(l.Data.SpanID))
	switch l.Recorded {
	case RecordedYes:
		b.WriteString(" recorded")
	case RecordedNever:
		b.WriteString(" never recorded")
	}
	b.WriteByte('\n')
}

// short returns the ID in hex without leading zeros.
func short(id wire.SpanID) string {
	if text := strings.TrimLeft(id.String(), "0"); text != "" {
		return text
	}
	return "0"
}

func ns(n int64) string { return time.Duration(n).String() }
