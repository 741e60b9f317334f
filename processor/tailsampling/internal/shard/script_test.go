package shard

import (
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/outbox"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

var rewrite = flag.Bool("rewrite", false, "write what the code gives into testdata, instead of comparing")

// A file of testdata/*.txt is a list of blocks separated by empty lines. A block is commands, one per line, "----" and the
// answer: the commands' results, the events in the journal, and the shard's state afterwards. Consecutive span lines are one
// request. Lines that begin with # are comments.
func TestStates(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			s := &script{t: t}
			blocks := strings.Split(strings.TrimSpace(string(content)), "\n\n")
			for i, block := range blocks {
				commands, _, found := strings.Cut(block, "\n----")
				if !found {
					continue // a comment
				}
				blocks[i] = commands + "\n----\n" + s.answer(commands)
				if !*rewrite {
					require.Equal(t, blocks[i], block)
				}
			}
			if *rewrite {
				require.NoError(t, os.WriteFile(file, []byte(strings.Join(blocks, "\n\n")+"\n"), 0o644))
			}
		})
	}
}

// script is a shard with the environment of its commands.
type script struct {
	t       *testing.T
	shard   *Shard
	log     *scriptLog
	journal *scriptJournal
	names   *version.Names
	now     clock.Monotonic
	request []testSpan
	taken   [][]Kept // by destination
	aside   []Kept
	filled  int64
	out     strings.Builder
}

// scriptLog is a log in memory, whose positions are the numbers of spans appended to a segment.
type scriptLog struct {
	*spanlog.Log
	sequence, spans int
	newer, broken   bool
	faulty          bool // reading faults
}

func (l *scriptLog) Append(c *spanlog.Chain, o *spanlog.Origin, body []byte) {
	l.spans++
	l.Log.Append(c, o, body)
}

func (l *scriptLog) AppendWithFact(c *spanlog.Chain, o *spanlog.Origin, body []byte, f *spanlog.Fact, identify spanlog.Identify) {
	l.spans++
	l.Log.AppendWithFact(c, o, body, f, identify)
}

func (l *scriptLog) Facts(c spanlog.Chain, yield func(*spanlog.Fact, *spanlog.Identity)) bool {
	return !l.broken && !l.faulty && l.Log.Facts(c, yield)
}

func (l *scriptLog) Position() spanlog.Position {
	return spanlog.Position(l.sequence)<<positionBits | spanlog.Position(l.spans)
}

func (l *scriptLog) Newer(spanlog.Chain, spanlog.Position) bool { return l.newer }

func (l *scriptLog) Records(c spanlog.Chain, pause spanlog.Pause) iter.Seq2[spanlog.Record, error] {
	if l.faulty {
		panic(fault{})
	}
	if !l.broken {
		return l.Log.Records(c, pause)
	}
	return func(yield func(spanlog.Record, error) bool) {
		_ = yield(spanlog.Record{}, errors.New("unreadable")) && yield(spanlog.Record{Body: []byte{0xff}}, nil)
	}
}

// fault is the kernel's signal when a disk fails under a mapped file.
type fault struct{}

func (fault) Error() string { return "fault" }
func (fault) RuntimeError() {}
func (fault) Addr() uintptr { return 1 }

// positionBits is the bit at which the sequence begins in a spanlog.Position.
const positionBits = 30

// scriptJournal records events as text.
type scriptJournal struct {
	script *script
	full   bool
}

func (j *scriptJournal) Put(e spanlog.Event, at clock.UnixMilli) { j.script.event(&e, at) }

func (j *scriptJournal) Full() bool { return j.full }

func (j *scriptJournal) Trim(repeat func(highest uint64)) {
	j.full = false
	repeat(uint64(j.script.log.sequence - 1))
	j.script.printf("trimmed up to segment %d", j.script.log.sequence-1)
}

const scriptBegan = 1_700_000_000_000

func (s *script) printf(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

func positionOf(p spanlog.Position) string { return fmt.Sprintf("%d.%d", p.Sequence(), p.Offset()) }

func number(n uint64) string {
	if n == tracestate.None {
		return "none"
	}
	return fmt.Sprintf("%014x", n)
}

func (s *script) nameOf(policyNumber int32) string {
	if name := s.names.Of(policyNumber).Policy; name != "" {
		return name
	}
	return "none"
}

func (s *script) event(e *spanlog.Event, at clock.UnixMilli) {
	kind := map[spanlog.EventKind]string{spanlog.Decided: "decided", spanlog.Attempted: "attempted", spanlog.Delivered: "delivered", spanlog.Marked: "marked"}[e.Kind]
	late := ""
	if e.Late {
		late = " late"
	}
	s.printf("journal: %s %s %s by=%s trigger=%s part=%s-%s%s th=%s rv=%s at=%d/%d%s%s", kind, traceName(e.TraceID), policy.Verdict(e.Verdict),
		s.nameOf(int32(e.Policy)), decision.Trigger(e.Trigger), positionOf(e.From), positionOf(e.To), late, number(e.Threshold), number(e.Random),
		int64(e.At)-scriptBegan/1000, at-scriptBegan, marks(e.Failed, e.Revived, e.Trimmed), s.to(e))
}

func marks(failed, revived bool, trimmed uint32) (out string) {
	if failed {
		out += " failed"
	}
	if revived {
		out += " revived"
	}
	if trimmed > 0 {
		out += fmt.Sprintf(" trimmed=%d", trimmed)
	}
	return out
}

// to returns the destination of an event, if there are several.
func (s *script) to(e *spanlog.Event) string {
	all := s.shard.shared.Destinations
	switch {
	case e.Kind == spanlog.Decided || len(all) == 1:
		return ""
	case e.Destination == spanlog.EveryDestination:
		return " to=all"
	default:
		return " to=" + all[e.Destination]
	}
}

// answer runs the commands of a block.
func (s *script) answer(commands string) string {
	s.out.Reset()
	for line := range strings.SplitSeq(commands, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if words[0] == "span" {
			s.request = append(s.request, s.span(words[1:]))
			continue
		}
		s.send()
		s.run(words[0], words[1:])
	}
	s.send()
	s.check()
	s.show()
	return strings.TrimSuffix(s.out.String(), "\n")
}

func (s *script) span(words []string) (out testSpan) {
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "trace":
			out.trace = byte(s.int(value))
		case "root":
			out.root = true
		case "error":
			out.failed = true
		case "debug":
			out.debug = true
		case "time":
			from, to, _ := strings.Cut(value, "-")
			out.start, out.end = s.duration(from), s.duration(to)
		case "rv":
			out.rv = value
		case "link":
			for other := range strings.SplitSeq(value, ",") {
				out.links = append(out.links, byte(s.int(other)))
			}
		case "bytes":
			out.bytes = s.int(value)
		default:
			s.t.Fatalf("unknown word %q", word)
		}
	}
	return out
}

func (s *script) send() {
	if len(s.request) > 0 {
		add(s.shard, requestOf(s.t, s.request...), s.shard.versions.Current(), s.now)
		s.request = nil
	}
}

func (s *script) int(value string) int {
	n, err := strconv.Atoi(value)
	require.NoError(s.t, err)
	return n
}

func (s *script) duration(value string) time.Duration {
	d, err := time.ParseDuration(value)
	require.NoError(s.t, err)
	return d
}

var ranks = map[string]Rank{"boring": Boring, "interesting": Interesting, "failed": Failed}

func (s *script) run(command string, args []string) {
	switch command {
	case "config":
		s.configure(args)
	case "sleep":
		s.now = s.now.Add(s.duration(args[0]))
	case "due":
		overdue, more, next := s.shard.Due(s.now)
		s.printf("due: overdue=%v more=%v next=%s", overdue, more, instant(next))
	case "end":
		s.end()
	case "next":
		s.printf("next: %s, oldest %s", instant(s.shard.Next()), instant(s.shard.Known().Oldest()))
	case "early":
		s.printf("early: %d", s.ofSpans(s.shard.DecideEarly(ranks[args[0]], decision.ByMemory, s.now)))
	case "evict":
		s.printf("evict: %d", s.ofSpans(s.shard.EvictOldest(s.now)))
	case "shutdown":
		s.shard.DecideAll(len(args) > 0, s.now)
	case "finish":
		s.shard.FinishAll(s.now)
	case "swap":
		s.shard.Swap(s.version(args))
	case "over":
		s.fill(int64(s.int(args[0])))
	case "segment":
		s.log.sequence, s.log.spans = s.log.sequence+1, 0
	case "journal":
		s.journal.full = true
	case "copied":
		s.log.newer = true
	case "receive":
		m := linked.Message{Trace: idOf(byte(s.int(args[0]))), Other: idOf(byte(s.int(args[1]))), Wanted: len(args) > 2}
		s.shard.Receive(m, uint32(s.shard.shared.Seed.Hash(m.Trace)), s.now)
	case "mark":
		id := idOf(byte(s.int(args[0])))
		s.shard.Mark(uint32(s.shard.shared.Seed.Hash(id)), &id, s.now)
	case "fate":
		id := idOf(byte(s.int(args[0])))
		fate := s.shard.Known().Fate(uint32(s.shard.shared.Seed.Hash(id)), &id)
		s.printf("fate: t%s %s", args[0], map[exemplars.Fate]string{exemplars.Undecided: "undecided", exemplars.Kept: "kept", exemplars.Gone: "gone"}[fate])
	case "known":
		s.known(byte(s.int(args[0])))
	case "shadow":
		sh := &s.shard.Tally().Shadow
		s.printf("shadow: version %d, sampled %+v, not sampled %+v, dropped %+v, only shadow %+v, only real %+v", sh.Version.Number,
			sh.Decided[policy.Sampled], sh.Decided[policy.NotSampled], sh.Decided[policy.Dropped], sh.OnlyShadow, sh.OnlyReal)
	case "ages":
		s.printf("ages: removed %v, late %v", s.shard.Tally().Ages.Removed, s.shard.Tally().Ages.Late)
		s.shard.Tally().Ages.Reset()
	default:
		s.outgoing(command, args)
	}
}

// outgoing runs a command on a destination, its first argument or by default the first one.
func (s *script) outgoing(command string, args []string) {
	d := Destination(0)
	if len(args) > 0 {
		d = Destination(slices.Index(s.shard.shared.Destinations, args[0]))
	}
	out := s.shard.Outgoing(d)
	switch command {
	case "take":
		if k, ok := out.Next(); ok {
			out.Take(k.Slot, s.now)
			s.took(command, k, d)
		} else {
			s.printf("take: nothing")
		}
	case "putback":
		out.PutBack(s.untake(d).Slot)
	case "delivered":
		out.Delivered(s.untake(d).Slot, s.now)
	case "giveup":
		out.GiveUp(s.untake(d).Slot, s.now)
	case "aside":
		k := s.untake(d)
		out.Park(k.Slot)
		s.aside = append(s.aside, k)
	case "takeaside":
		k, ok := out.TakeParked(s.aside[0].Ref, s.now)
		s.printf("held: %v", ok && out.Holds(k.Ref))
		s.aside = s.aside[1:]
		if ok {
			s.took(command, k, d)
		}
	case "giveupoldest":
		before := Never
		if len(args) > 2 {
			before = clock.Monotonic(s.duration(args[2]))
		}
		if k, ok := out.GiveUpOldest(args[1] == "failed", before, s.now); ok {
			s.printf("given up: %s%s", traceName(k.ID), marks(k.Failed, k.Revived, k.Trimmed))
		} else {
			s.printf("given up: nothing")
		}
	case "backlog":
		b := out.Backlog()
		s.printf("backlog: traces=%d spans=%d bytes=%d oldest=%s given_up=%+v", b.Traces, b.Spans, b.Bytes, instant(b.Oldest), out.GivenUp())
	default:
		s.reading(command, out, d)
	}
}

// reading runs a command that reads taken entries.
func (s *script) reading(command string, out Outgoing, d Destination) {
	switch command {
	case "unreadable":
		s.printf("unreadable: again=%v", out.Unreadable(s.last(d).Slot))
	case "read":
		s.log.broken = false
		read, failed := 0, 0
		for r, err := range out.Records(s.last(d).Slot, nil) {
			if err != nil {
				failed++
			} else {
				read += len(r.Body)
			}
		}
		s.printf("read: %d bytes, %d errors", read, failed)
	case "broken":
		s.log.broken = true
	case "faulty":
		s.log.faulty = true
	default:
		s.t.Fatalf("unknown command %q", command)
	}
}

func (s *script) took(command string, k Kept, d Destination) {
	s.taken[d] = append(s.taken[d], k)
	linkedTo := ""
	if !k.Linked.IsZero() {
		linkedTo = " linked=" + traceName(k.Linked)
	}
	s.printf("%s: %s by=%s th=%s rv=%s late=%v decided=%s spans=%d bytes=%d%s%s", command, traceName(k.ID), s.nameOf(k.Policy), number(k.Threshold),
		number(k.Random), k.Late, instant(k.DecidedAt), k.Spans, k.Bytes, linkedTo, marks(k.Failed, k.Revived, k.Trimmed))
}

func (s *script) last(d Destination) Kept {
	require.NotEmpty(s.t, s.taken[d], "nothing is taken")
	return s.taken[d][len(s.taken[d])-1]
}

func (s *script) untake(d Destination) Kept {
	k := s.last(d)
	s.taken[d] = s.taken[d][:len(s.taken[d])-1]
	return k
}

func instant(at clock.Monotonic) string {
	if at == Never {
		return "never"
	}
	return time.Duration(at).String()
}

// version compiles the policies of policies= and shadow=.
func (s *script) version(args []string) *version.Version {
	values := map[string]string{}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		values[key] = value
	}
	number := 1
	if s.shard != nil {
		number = s.shard.versions.Current().Number + 1
	}
	v, err := version.New(number, compile(s.t, values["policies"]), compile(s.t, values["shadow"]), s.names)
	require.NoError(s.t, err)
	return v
}

func (s *script) configure(args []string) {
	s.names = version.NewNames()
	shared := &Shared{
		Destinations: []string{"next"},
		Waits:        Waits{Decision: 10 * time.Second}, TraceSize: MaxTraceSize, ReviveUpTo: 0.6,
		Pool: spanlog.NewPool(1<<20, 1), Epoch: clock.EpochAt(scriptBegan), Seed: index.Seed{1, 2},
		Limits: Limits{Sampled: 100, Dropped: 100, Records: 100},
	}
	var err error
	shared.LinkedNumber, err = s.names.Number(version.Name{Policy: linked.PolicyName})
	require.NoError(s.t, err)
	shared.ObjectiveNumber, err = s.names.Number(version.Name{Policy: exemplars.PolicyName})
	require.NoError(s.t, err)
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "decision":
			shared.Waits.Decision = s.duration(value)
		case "root":
			shared.Waits.Root = s.duration(value)
		case "revive":
			shared.Waits.Revive = s.duration(value)
		case "tracesize":
			shared.TraceSize = uint64(s.int(value))
		case "maxpending":
			shared.MaxPending = int64(s.int(value))
		case "ingest":
			shared.Ingest = true
		case "destinations":
			shared.Destinations = strings.Split(value, ",")
		case "since":
			for after := range strings.SplitSeq(value, ",") {
				shared.Since = append(shared.Since, decision.Seconds(scriptBegan/1000+int(s.duration(after).Seconds())))
			}
		case "mapped":
			shared.Mapped = true
		case "links":
			shared.LinksPerSpan, shared.Limits.TiesPerTrace = 2, 2
			shared.Limits.Ties = s.int(value)
		case "remember":
			shared.Limits.Sampled, shared.Limits.Dropped = s.int(value), s.int(value)
		}
	}
	s.shard = nil
	v := s.version(args)
	s.shard, s.now, s.aside, s.filled = New(shared, v), 0, nil, 0
	s.taken = make([][]Kept, len(shared.Destinations))
	s.log = &scriptLog{Log: spanlog.New(shared.Pool, 0), sequence: 1}
	s.journal = &scriptJournal{script: s}
	s.shard.Open(s.log, s.journal)
}

// fill makes the pool exceed the share for traces that were not sampled by a number of bytes.
func (s *script) fill(over int64) {
	pool := s.shard.shared.Pool
	pool.Grow(over - pool.Over(0, s.shard.shared.ReviveUpTo))
}

func (s *script) end() {
	after := s.shard.EndVisit()
	s.printf("end: sooner=%v deliver=%s", after.WakeDecider, s.namesOf(after.Deliver))
	for _, m := range after.Messages {
		wanted := ""
		if m.Wanted {
			wanted = " wanted"
		}
		s.printf("message: to %s from %s%s", traceName(m.Trace), traceName(m.Other), wanted)
	}
}

func (s *script) known(trace byte) {
	id := idOf(trace)
	hash := uint32(s.shard.shared.Seed.Hash(id))
	k := s.shard.Known()
	if p, ok := k.Pending(hash, &id, s.now); ok {
		s.printf("pending: version %d, first %d, randomness %014x, root=%v error=%v spans=%d bytes=%d duration=%v", p.Version.Number,
			p.First-scriptBegan, p.Randomness, p.Root, p.Error, p.Spans, p.Bytes, p.Duration)
	}
	if r, matched, acted := k.Record(hash, &id); r != nil {
		s.printf("record: %s by=%s trigger=%s at=%d waited=%d spans=%d bytes=%d late=%d duration=%v root=%v error=%v votes=%v matched=%b acted=%b th=%s",
			r.Verdict, s.nameOf(r.Policy), r.Trigger, r.At-scriptBegan, r.Waited, r.Spans, r.Bytes, r.Late, r.Duration,
			r.HadRoot(), r.HadError(), r.HadVotes(), matched, acted, number(r.Threshold))
		if r.HadShadow() {
			s.printf("record: shadow %s by %d", r.ShadowVerdict, r.ShadowPolicy)
		}
	}
	if f, ok := k.Faded(hash, &id); ok {
		s.printf("faded: %s by=%s at=%d th=%s", f.Verdict, s.nameOf(f.Policy), int64(f.At)-scriptBegan, number(f.Threshold))
	}
	if other, ok := k.LinkedTo(hash, &id); ok {
		s.printf("linked to: %s", traceName(other))
	}
}

var stateNames = map[state]string{
	statePending: "pending", stateRooted: "rooted", stateRevivable: "revivable", stateGathering: "gathering", stateKept: "kept",
}

// ofSpans returns the bytes of a trace's spans alone: the size of its entry depends on the machine.
func (s *script) ofSpans(bytes int64) int64 {
	if entry := s.shard.shared.Pool.OnHeap(entrySize); bytes > entry {
		return bytes - entry
	}
	return bytes
}

// show prints the state of the shard.
func (s *script) show() {
	for n, seen := slot(1), 0; seen < s.shard.index.Len(); n++ {
		if !s.shard.index.Has(n) {
			continue
		}
		seen++
		e := s.shard.index.At(n)
		s.printf("%s %s spans=%d bytes=%d late_spans=%d%s", traceName(e.ID), stateNames[e.state], e.spans, e.bytes, e.lateSpans, s.places(e))
	}
	st := &s.shard.Tally().Stats
	s.printf("now: pending=%d/%d revivable=%d/%d undelivered=%d/%d spans=%d", st.Pending, st.PendingBytes, st.Revivable, st.RevivableBytes,
		st.Undelivered, st.UndeliveredBytes, st.Spans)
	s.printf("ever: traces=%d sampled=%d not_sampled=%d dropped=%d late=%d/%d trimmed=%d ignored_links=%d%s", st.Traces, st.Verdict(policy.Sampled),
		st.Verdict(policy.NotSampled), st.Verdict(policy.Dropped), st.LateKept, st.LateDropped, st.Trimmed, st.IgnoredLinks, s.triggers())
}

// namesOf returns the destinations of a set.
func (s *script) namesOf(m Mask) string {
	var names []string
	for d, name := range s.shard.shared.Destinations {
		if m.Has(Destination(d)) {
			names = append(names, name)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ",")
}

// places returns the progress of an entry's delivery, if there are several destinations.
func (s *script) places(e *entry) (out string) {
	if e.state != stateKept || len(s.shard.shared.Destinations) == 1 {
		return ""
	}
	for d, name := range s.shard.shared.Destinations {
		switch d := Destination(d); {
		case e.Taken(d):
			out += " " + name + "=taken"
		case e.Parked(d):
			out += " " + name + "=aside"
		case e.Waits().Has(d):
			out += " " + name + "=waits"
		}
	}
	return out
}

func (s *script) triggers() (out string) {
	for trigger, n := range s.shard.Tally().Stats.Triggers {
		if n > 0 {
			out += fmt.Sprintf(" %s=%d", decision.Trigger(trigger), n)
		}
	}
	return out
}

func (s *script) check() {
	taken := 0
	for _, list := range s.taken {
		taken += len(list)
	}
	checkInvariants(s.t, s.shard, taken)
}

// checkInvariants compares counts, lists and lookups with the states of the entries. taken is the number of entries that senders hold.
func checkInvariants(t testing.TB, s *Shard, taken int) {
	t.Helper()
	var want struct{ pending, pendingBytes, revivable, revivableBytes, undelivered, undeliveredBytes, spans int64 }
	inState := map[state]int{}
	for n, seen := slot(1), 0; seen < s.index.Len(); n++ {
		if !s.index.Has(n) {
			continue
		}
		seen++
		e := s.index.At(n)
		inState[e.state]++
		want.spans += int64(e.spans)
		found := s.index.Find(e.Hash, &e.ID)
		switch {
		case e.undecided():
			want.pending++
			want.pendingBytes += int64(e.bytes)
		case e.state == stateRevivable:
			want.revivable++
			want.revivableBytes += int64(e.bytes)
		case e.state == stateKept:
			want.undelivered++
			want.undeliveredBytes += int64(e.bytes)
		}
		if e.state == stateKept {
			require.NotEqual(t, n, found, "what is kept is not found any more")
		} else {
			require.Equal(t, n, found, "what is not kept is found")
		}
	}
	st := &s.Tally().Stats
	require.Equal(t, want.pending, st.Pending)
	require.Equal(t, want.pendingBytes, st.PendingBytes)
	require.Equal(t, want.revivable, st.Revivable)
	require.Equal(t, want.revivableBytes, st.RevivableBytes)
	require.Equal(t, want.undelivered, st.Undelivered)
	require.Equal(t, want.undeliveredBytes, st.UndeliveredBytes)
	require.Equal(t, want.spans, st.Spans)
	require.Equal(t, want.pending, s.shared.Pending.Load())
	quiet := 0
	if s.shared.Waits.Root != 0 {
		quiet = inState[stateRooted]
	}
	require.Len(t, listed(s, &s.queues.quiet), quiet)
	require.Len(t, listed(s, &s.queues.waiting), inState[statePending]+inState[stateRooted])
	require.Len(t, listed(s, &s.queues.revivable), inState[stateRevivable])
	require.Len(t, listed(s, &s.queues.gathering), inState[stateGathering])
	checkOutbox(t, s, inState[stateKept], taken)
	for maxRank := range Failed {
		for _, n := range listed(s, &s.queues.waiting) {
			if n == s.queues.cursors[maxRank] {
				break
			}
			require.Greater(t, s.judge.rankOf(n, 0), maxRank, "no trace before the cursor has a lower rank")
		}
	}
	for kept := range s.links.keptFor {
		require.Equal(t, stateKept, s.index.At(kept).state)
	}
}

// checkOutbox compares what waits for the destinations with the number of kept entries.
func checkOutbox(t testing.TB, s *Shard, kept, taken int) {
	t.Helper()
	all := slices.Collect(s.outbox.All(&s.index))
	require.Len(t, all, kept)
	inHands := 0
	for d := range Destination(len(s.shared.Destinations)) {
		var want outbox.Amount
		oldest := Never
		for _, n := range all {
			e := s.index.At(n)
			require.Equal(t, stateKept, e.state)
			require.NotZero(t, e.Waits())
			if !e.Waits().Has(d) {
				continue
			}
			if oldest == Never {
				oldest = e.decidedAt
			}
			want.Traces++
			want.Spans += int64(e.spans)
			want.Bytes += int64(e.bytes)
			if e.Taken(d) {
				inHands++
			}
		}
		require.Equal(t, Backlog{Amount: want, Oldest: oldest, Pending: oldest}, s.Outgoing(d).Backlog())
	}
	require.Equal(t, taken, inHands)
}

func listed(s *Shard, l *list) (slots []slot) {
	for n := l.Head(); n != 0; n = l.Next(&s.index, n) {
		slots = append(slots, n)
	}
	return slots
}
