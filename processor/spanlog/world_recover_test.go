package spanlog

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// inventory prints the contents of the directory when it is opened, and closes it.
func (w *world) inventory(out io.Writer, _ args) {
	if inv := w.take(out); inv != nil {
		require.NoError(w.t, w.dir.Close())
		w.dir = nil
	}
}

// take opens the directory, and prints its contents.
func (w *world) take(out io.Writer) *Inventory {
	var err error
	w.dir, err = OpenDirectory(w.path)
	require.NoError(w.t, err)
	inv, err := w.dir.Inventory()
	if inv != nil {
		for _, o := range inv.OtherFormats {
			fmt.Fprintf(out, "format version %d: %d files of %d bytes are in %s\n", o.Version, o.Files, o.Bytes, w.clean(o.Path))
		}
	}
	if err != nil {
		fmt.Fprintln(out, w.clean(err.Error()))
		require.NoError(w.t, w.dir.Close())
		w.dir = nil
		return nil
	}
	fmt.Fprintf(out, "%d segments of %d bytes, %d journals, sequence %d, %d shards, seed %x\n",
		len(inv.Segments), inv.Bytes, len(inv.Journals), inv.Sequence, inv.Shards, inv.Seed)
	w.damage(out, inv.Damage)
	return inv
}

func (w *world) damage(out io.Writer, damage []Damage) {
	for _, d := range damage {
		torn := ""
		if d.Torn {
			torn = " (torn)"
		}
		fmt.Fprintf(out, "  damage: %s%s\n", w.clean(d.String()), torn)
	}
}

func place(p Position) string {
	if p.Offset() == format.RefMask {
		return fmt.Sprintf("%d+end", p.Sequence())
	}
	return fmt.Sprintf("%d+%d", p.Sequence(), p.Offset())
}

// recover reads the directory back, as a starting process does: recover [shards=n] [until=n] and the arguments of open. Segments
// of other shards, of another seed, or with a damaged header are copied; others are adopted. A duplicate span is restored once.
func (w *world) recover(out io.Writer, a args) {
	inv := w.take(out)
	if inv == nil {
		return
	}
	if w.seed = inv.Seed; a.has("seed") {
		w.seed = Seed{uint64(a.number("seed", 0)), 1}
	}
	highest := inv.Sequence
	for _, f := range inv.Journals {
		w.events(out, f)
		highest = max(highest, f.Highest())
	}
	w.start(a, highest)
	foreign := func(shards int, seed Seed) bool { return shards != w.shards || seed != w.seed }
	for _, f := range inv.Journals {
		if foreign(f.Shards(), f.Seed()) {
			fmt.Fprintf(out, "a journal of shard %d of %d is deleted\n", f.Shard, f.Shards())
			require.NoError(w.t, f.Delete())
			continue
		}
		w.journal.Adopt(f, max(uint64(a.number("until", int(highest))), f.Highest()))
	}
	seen := map[Position]bool{}
	var scratch []byte
	for _, f := range inv.Segments {
		copied := foreign(f.Shards, f.Seed) || f.Suspect()
		scratch = w.segment(out, f, copied, seen, scratch)
	}
}

// events prints a journal, and the number of each event in a long one.
func (w *world) events(out io.Writer, f *JournalFile) {
	fmt.Fprintf(out, "journal of shard %d of %d\n", f.Shard, f.Shards())
	last, times := "", 0
	flush := func() {
		if times > 1 {
			last += fmt.Sprintf(" (%d times)", times)
		}
		if times > 0 {
			fmt.Fprintln(out, last)
		}
	}
	damage, err := f.Read(func(e *Event, names Names) {
		line := fmt.Sprintf("  %s %s, verdict %d", [...]string{"", "decided", "attempted", "delivered"}[e.Kind],
			bytes.TrimRight(e.TraceID[:], "\x00"), e.Verdict)
		if e.Policy >= 0 {
			line += " by " + names.Policies[e.Policy]
		}
		line += fmt.Sprintf(", %s to %s, trigger %d, at +%ds", place(e.From), place(e.To), e.Trigger, int64(e.At)-began/1000)
		if e.Late {
			line += ", late"
		}
		if e.Failed {
			line += ", failed"
		}
		if e.Revived {
			line += ", revived"
		}
		if e.Trimmed > 0 {
			line += fmt.Sprintf(", %d spans trimmed", e.Trimmed)
		}
		switch {
		case e.Kind == Decided:
		case e.Destination == EveryDestination:
			line += ", everywhere"
		default:
			line += ", " + names.Destinations[e.Destination].Key
		}
		if e.Threshold != ^uint64(0) {
			line += fmt.Sprintf(", th %x", e.Threshold)
		}
		if e.Random != ^uint64(0) {
			line += fmt.Sprintf(", rv %x", e.Random)
		}
		if line != last {
			flush()
			last, times = line, 0
		}
		times++
	})
	flush()
	if err != nil {
		fmt.Fprintln(out, " ", w.clean(err.Error()))
	}
	w.damage(out, damage)
	fmt.Fprintf(out, "  highest sequence %d\n", f.Highest())
}

// segment reads a segment back, and copies or adopts its spans.
func (w *world) segment(out io.Writer, f *SegmentFile, copied bool, seen map[Position]bool, scratch []byte) []byte {
	fmt.Fprintf(out, "segment of shard %d of %d:", f.Shard, f.Shards)
	if f.Suspect() {
		fmt.Fprint(out, " suspect")
	}
	var wanted []Found
	contents, damage, err := f.Read(scratch, func(s Found) {
		name, _, _ := strings.Cut(string(s.Body), " ")
		fmt.Fprintf(out, " %s", name)
		if at := s.Arrived - began; at != 0 {
			fmt.Fprintf(out, "@%d", at)
		}
		if s.Copied {
			fmt.Fprintf(out, "(from %s)", place(s.Position))
		}
		if seen[s.Position] {
			fmt.Fprint(out, "(twice)")
			return
		}
		seen[s.Position] = true
		if copied {
			var o Origin
			o.Set(s.Resource, s.Scope)
			w.log.AppendCopy(w.chain(s.Body), &o, s.Body, s.Position, s.Arrived)
			return
		}
		wanted = append(wanted, s)
	})
	fmt.Fprintln(out)
	if err != nil {
		fmt.Fprintf(out, "  %s, %d spans lost\n", w.clean(err.Error()), f.Spans())
		return contents.Scratch()
	}
	w.damage(out, damage)
	if copied {
		fmt.Fprintln(out, "  copied")
		f.Delete()
		return contents.Scratch()
	}
	number := w.log.Adopt(f, contents)
	for i := range wanted {
		if s := &wanted[i]; !w.released(s.Body) {
			w.log.Attach(w.chain(s.Body), number, contents, s)
		}
	}
	w.log.Settle(number)
	return contents.Scratch()
}

// released reports whether the trace of a span is released: its name begins with x.
func (w *world) released(body []byte) bool { return body[0] == 'x' }

// chain returns the chain of a span's trace.
func (w *world) chain(body []byte) *Chain {
	trace, _, _ := strings.Cut(string(body), "/")
	if w.chains[trace] == nil {
		w.chains[trace] = &Chain{}
	}
	w.spans[trace]++
	return w.chains[trace]
}
