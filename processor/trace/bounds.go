package trace

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// bound says that the correction of clock a minus that of clock b is at most w nanoseconds.
type bound struct {
	a, b int
	w    int64
	// soft bounds may be wrong: they are left out where they contradict the others, the tightest first.
	soft bool
	// slack orders soft bounds: client duration minus server duration, the width of the interval that it closes.
	slack int64
}

// maxBound is the most that two clocks can differ by, 36 years: what is more is garbage, and would overflow sums.
const maxBound = int64(1) << 60

// collectBounds reads off the forest and its links what they say about pairs of clocks. Spans whose times cannot be what
// they say have no say.
func (b *builder) collectBounds() {
	b.bounds = make([]bound, 0, len(b.spans)) // mostly enough: about every other span is in another process, and has two
	for _, i := range b.preorder {
		s := &b.spans[i]
		if s.Synthetic || s.Flags&unbounded != 0 {
			continue
		}
		if s.Parent >= 0 {
			b.boundByParent(&b.spans[s.Parent], s)
		}
		for _, l := range s.Links {
			if l.Target == LinkSpan {
				b.boundByLink(&b.spans[l.Span], s)
			}
		}
	}
}

// boundByParent adds the request bound, that no child starts before its parent, and the response bound, that no server
// ends after the client that waits for it.
func (b *builder) boundByParent(parent, child *Span) {
	if parent.Synthetic || parent.Clock == child.Clock || parent.Flags&unbounded != 0 || startsOnItsOwn(child) {
		return
	}
	wider := b.granularity(parent.Clock, child.Clock)
	b.clocks[parent.Clock].Pairs++
	b.clocks[child.Clock].Pairs++
	b.addBound(bound{a: parent.Clock, b: child.Clock, w: int64(child.Start-parent.Start) + wider})
	if !waitsFor(parent, child) {
		return
	}
	b.addBound(bound{
		a: child.Clock, b: parent.Clock, w: int64(parent.End-child.End) + wider,
		soft: true, slack: int64(parent.rawDuration() - child.rawDuration()),
	})
}

// boundByLink adds that a span starts no later than a span that links to it ends.
func (b *builder) boundByLink(target, linking *Span) {
	if target.Clock == linking.Clock || target.Flags&unbounded != 0 || linking.Flags&FlagUnfinished != 0 {
		return
	}
	wider := b.granularity(target.Clock, linking.Clock)
	b.addBound(bound{a: target.Clock, b: linking.Clock, w: int64(linking.End-target.Start) + wider})
}

func (b *builder) addBound(x bound) {
	if x.w > -maxBound && x.w < maxBound {
		b.bounds = append(b.bounds, x)
	}
}

func (b *builder) granularity(x, y int) int64 {
	if b.clocks[x].coarse || b.clocks[y].coarse {
		return millisecond
	}
	return 0
}

// startsOnItsOwn says that the span may truly start before its parent: a browser's documentLoad begins before the server
// made the span that the page then names as its parent.
func startsOnItsOwn(s *Span) bool {
	return strings.HasSuffix(s.Scope.Name(), "instrumentation-document-load")
}

// waitsFor says whether the client's end can be believed to come after the server's. It cannot where nobody waits for
// the other side, where the client gave up waiting, or where the server ran for longer, which shows the same without a
// clock: a timeout, a stream, or a response whose body nobody read.
func waitsFor(client, server *Span) bool {
	return client.Kind == ptrace.SpanKindClient && server.Kind == ptrace.SpanKindServer &&
		(client.Flags|server.Flags)&FlagUnfinished == 0 &&
		server.rawDuration() <= client.rawDuration() &&
		!gaveUp(client.Data)
}

// gaveUp says whether a client span ended because it would wait no longer, or somebody between did so for it.
func gaveUp(client ptrace.Span) bool {
	for k, v := range client.Attributes().All() {
		switch k {
		case "http.response.status_code", "http.status_code":
			switch v.AsString() {
			case "408", "499", "504":
				return true
			}
		case "rpc.grpc.status_code", "rpc.response.status_code", "rpc.status_code", "rpc.connect_rpc.error_code", "error.type":
			if saysGaveUp(v) {
				return true
			}
		}
	}
	return false
}

// saysGaveUp knows gRPC's codes, by number (CANCELLED, DEADLINE_EXCEEDED) or name, and the names that languages give to
// the errors of timeouts.
func saysGaveUp(v pcommon.Value) bool {
	text := strings.ToLower(v.AsString())
	if text == "1" || text == "4" || text == "504" || text == "499" || text == "408" {
		return true
	}
	for _, word := range []string{"deadline", "cancel", "timeout", "timedout", "timed out", "abort"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
