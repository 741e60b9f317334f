package recovery

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/outbox"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// gone returns the log lines about forgotten destinations: the number of traces that each had not received.
func (p *process) gone() map[string]int {
	lines := map[string]int{}
	for _, entry := range p.logs.FilterMessage("destination is gone from the configuration, its backlog was dropped").All() {
		traces := entry.ContextMap()["traces_not_delivered"].(int64)
		level := zapcore.InfoLevel
		if traces > 0 {
			level = zapcore.WarnLevel
		}
		require.Equal(p.t, level, entry.Level)
		destination := entry.ContextMap()["destination"].(string)
		require.NotContains(p.t, lines, destination)
		lines[destination] = int(traces)
	}
	return lines
}

// waiting returns the traces that a destination has not received, in no order, and checks that all their spans are there and
// still wait.
func (p *process) waiting(d int) (list []wire.TraceID) {
	for _, m := range p.Members {
		m.Lock()
		out := m.Outgoing(shard.Destination(d))
		backlog, first := out.Backlog(), len(list)
		var back []shard.Kept
		spans := int64(0)
		for k, more := out.Next(); more; k, more = out.Next() {
			out.Take(k.Slot, p.Now())
			read := 0
			for r, err := range out.Records(k.Slot, nil) {
				require.NoError(p.t, err)
				span, err := wire.ParseSpan(r.Body)
				require.NoError(p.t, err)
				require.Equal(p.t, k.ID, span.TraceID)
				read++
			}
			require.Equal(p.t, k.Spans, read)
			spans += int64(read)
			list, back = append(list, k.ID), append(back, k)
		}
		for _, k := range slices.Backward(back) {
			out.PutBack(k.Slot)
		}
		require.EqualValues(p.t, len(list)-first, backlog.Traces)
		require.Equal(p.t, spans, backlog.Spans)
		p.Leave(m)
	}
	return list
}

// Each destination continues at its own position, whatever others have, even if the process ended between an attempt and its
// record. A trace that no destination waits for is gone. A new destination gets traces that are decided from now on, and a
// removed one loses its backlog: if it is added again it is new.
func TestDestinationsOverARestart(t *testing.T) {
	for _, tc := range []struct {
		name          string
		before, after []string
		gone          map[string]int
	}{
		{"the same", []string{"a", "b"}, []string{"a", "b"}, map[string]int{}},
		{"in another order", []string{"a", "b"}, []string{"b", "a"}, map[string]int{}},
		{"one is new", []string{"a", "b"}, []string{"new", "a", "b"}, map[string]int{}},
		{"one is gone", []string{"a", "b"}, []string{"a"}, map[string]int{"b": 20}},
		{"the other is gone", []string{"a", "b"}, []string{"b"}, map[string]int{"a": 20}},
		{"one is renamed", []string{"a", "b"}, []string{"a", "c"}, map[string]int{"b": 20}},
		{"all are others", []string{"a", "b"}, []string{"c", "d", "e"}, map[string]int{"a": 20, "b": 20}},
	} {
		for _, shards := range []int{3, 2} {
			for _, orderly := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %d shards, orderly %v", tc.name, shards, orderly), func(t *testing.T) {
					p := setup{directory: t.TempDir(), shards: 3, destinations: tc.before}.process(t)
					p.recover()
					for n := range byte(40) {
						p.add(n, 0, true)
					}
					p.decide()
					p.deliver(0, func(n byte) bool { return n%2 == 0 })
					p.deliver(1, func(n byte) bool { return n < 20 })
					directory := p.store.directory
					if !orderly {
						directory = p.crash()
					}
					p.end()

					p = setup{directory: directory, shards: shards, destinations: tc.after}.process(t)
					p.recover()
					require.Equal(t, tc.gone, p.gone())
					undelivered := map[wire.TraceID]bool{}
					for d, key := range tc.after {
						var want []wire.TraceID
						for n := range byte(40) {
							if key == "a" && n%2 != 0 || key == "b" && n >= 20 {
								want = append(want, idOf(n))
								undelivered[idOf(n)] = true
							}
						}
						require.ElementsMatch(t, want, p.waiting(d), key)
					}
					require.EqualValues(t, len(undelivered), p.Sum().Undelivered)
					require.EqualValues(t, len(undelivered), p.Sum().Spans, "what nobody waits for is gone")
					require.EqualValues(t, len(undelivered), p.store.Spans.Load())

					p.add(100, 0, true)
					p.decide()
					for d := range tc.after {
						require.Contains(t, p.waiting(d), idOf(100))
					}
					directory = p.crash()
					p.end()

					p = setup{directory: directory, shards: shards, destinations: tc.before}.process(t)
					p.recover()
					for d, key := range tc.before {
						want := []wire.TraceID{}
						if slices.Contains(tc.after, key) {
							want = append(want, idOf(100))
							for n := range byte(40) {
								if key == "a" && n%2 != 0 || key == "b" && n >= 20 {
									want = append(want, idOf(n))
								}
							}
						}
						require.ElementsMatch(t, want, p.waiting(d), "%s", key)
					}
					for _, key := range tc.before {
						require.NotContains(t, p.gone(), key)
					}
					p.end()
				})
			}
		}
	}
}

// deliver takes everything for a destination, and delivers the traces that it must get.
func (p *process) deliver(d shard.Destination, wanted func(n byte) bool) {
	for _, m := range p.Members {
		m.Lock()
		out := m.Outgoing(d)
		var all []shard.Kept
		for k, more := out.Next(); more; k, more = out.Next() {
			out.Take(k.Slot, p.Now())
			all = append(all, k)
		}
		for _, k := range all {
			if wanted(k.ID[0]) {
				out.Delivered(k.Slot, p.Now())
			}
		}
		p.Leave(m)
	}
}

// Traces that may be delivered twice are counted, once for each destination that may receive them.
func TestRepeatedDeliveries(t *testing.T) {
	p := setup{directory: t.TempDir(), shards: 1, destinations: []string{"a", "b", "c"}}.process(t)
	p.recover()
	p.add(1, 0, true)
	p.add(1, 1, false)
	p.add(2, 0, true)
	p.decide()
	p.deliver(0, func(n byte) bool { return n == 1 })
	p.deliver(1, func(byte) bool { return false })
	directory := p.crash()
	p.end()
	p = setup{directory: directory, shards: 1, destinations: []string{"c", "b", "a"}}.process(t)
	p.recover()
	require.EqualValues(t, 1+3, p.store.Repeated.Load(), "trace 2 to a, and both to b")
	p.end()
}

// chaos is a process with random ends, and its expected state.
type chaos struct {
	*process
	rnd    *rand.Rand
	failed func() // nil if files are not flushed
	setup  setup
	waits  map[wire.TraceID]map[string]bool // by trace: the destinations that have not received it
	next   uint16
}

// After any events at destinations, and any number of crashes with other shards and other destinations, each receives what it has
// not received, and nothing else. Journals are trimmed all the time, and files are flushed in half of the cases.
func TestDestinationsInChaos(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			c := &chaos{
				rnd: rand.New(rand.NewPCG(seed, 5)), waits: map[wire.TraceID]map[string]bool{},
				setup: setup{directory: t.TempDir(), shards: 1 + int(seed%3), destinations: []string{"a", "b", "c"}, small: true},
			}
			if seed%2 == 0 {
				c.failed = func() { t.Error("a flush failed") }
			}
			c.process = c.setup.process(t)
			c.recoverWith(c.failed)
			for range 200 {
				for range c.rnd.IntN(20) {
					c.keep()
				}
				d := c.rnd.IntN(len(c.setup.destinations))
				if d > 0 || c.rnd.IntN(3) == 0 { // the first destination is slow
					c.serve(shard.Destination(d))
				}
				if c.rnd.IntN(20) == 0 {
					require.NoError(t, c.Pool.Sync())
				}
				if c.rnd.IntN(30) == 0 {
					c.restart()
				}
			}
			c.restart()
			c.end()
		})
	}
}

// keep accepts a trace that is kept, and one that is not, if there is room.
func (c *chaos) keep() {
	const room = 1 << 13
	if c.Pool.Reserve(room, 0) != nil {
		return
	}
	defer c.Pool.Cancel(room)
	c.next++
	for kept := range byte(2) {
		id := wire.TraceID{byte(c.next), byte(c.next >> 8), 15: kept + 1}
		for span := range byte(1 + c.rnd.IntN(3)) {
			c.addTo(id, span, kept == 1)
		}
		if kept == 1 {
			c.waits[id] = map[string]bool{}
			for _, key := range c.setup.destinations {
				c.waits[id][key] = true
			}
		}
	}
	c.decide()
}

// serve makes a destination's sender process a shard's traces at random.
func (c *chaos) serve(d shard.Destination) {
	key := c.setup.destinations[d]
	m := c.Members[c.rnd.IntN(len(c.Members))]
	m.Lock()
	defer c.Leave(m)
	out := m.Outgoing(d)
	var taken []shard.Kept
	for k, more := out.Next(); more && len(taken) < 60; k, more = out.Next() {
		out.Take(k.Slot, c.Now())
		taken = append(taken, k)
	}
	for _, k := range slices.Backward(taken) {
		require.True(c.t, c.waits[k.ID][key], "%s has it", key)
		switch c.rnd.IntN(8) {
		case 0:
			out.PutBack(k.Slot)
		case 1:
			out.Park(k.Slot)
		case 2:
			out.GiveUp(k.Slot, c.Now())
			delete(c.waits[k.ID], key)
		default:
			out.Delivered(k.Slot, c.Now())
			delete(c.waits[k.ID], key)
		}
	}
	if k, ok := out.GiveUpOldest(c.rnd.IntN(2) == 0, shard.Never, c.Now()); ok {
		require.True(c.t, c.waits[k.ID][key])
		delete(c.waits[k.ID], key)
	}
}

// restart continues with a crash's files, perhaps with other shards and destinations.
func (c *chaos) restart() {
	c.setup.directory = c.crash()
	c.end()
	if c.rnd.IntN(2) == 0 {
		c.setup.shards = 1 + c.rnd.IntN(3)
	}
	before := c.setup.destinations
	if c.rnd.IntN(2) == 0 {
		all := []string{"a", "b", "c", "d"}
		c.rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		c.setup.destinations = all[:1+c.rnd.IntN(4)]
	}
	c.process = c.setup.process(c.t)
	c.recoverWith(c.failed)
	want := map[string]int{}
	for id, waits := range c.waits {
		for _, key := range before {
			if waits[key] && !slices.Contains(c.setup.destinations, key) {
				want[key]++
				delete(waits, key)
			}
		}
		if len(waits) == 0 {
			delete(c.waits, id)
		}
	}
	for key, traces := range c.gone() {
		require.Equal(c.t, want[key], traces, key)
		delete(want, key)
	}
	require.Empty(c.t, want)
	require.EqualValues(c.t, len(c.waits), c.Sum().Undelivered)
	require.Zero(c.t, c.Sum().Pending)
	require.Zero(c.t, c.store.Lost.Load())
	for d, key := range c.setup.destinations {
		list := []wire.TraceID{}
		for id, waits := range c.waits {
			if waits[key] {
				list = append(list, id)
			}
		}
		require.ElementsMatch(c.t, list, c.waiting(d))
	}
}

// The only destination of a pipeline is named once.
func TestNamesOfDestinations(t *testing.T) {
	for key, want := range map[string]string{
		"otlp_grpc/backend in traces/sampled": "otlp_grpc/backend in traces/sampled", "traces/sampled in traces/sampled": "traces/sampled",
	} {
		require.Equal(t, want, nameOf(key))
	}
}

// A destination is a configured one, or gone; too many gone ones are not listed.
func TestNumbersOfDestinations(t *testing.T) {
	var d destinations
	d.begin([]string{"a", "b", "c"})
	r := d.roster([]spanlog.Destination{{Key: "b", Since: 7}, {Key: "x"}, {Key: "a", Since: 8}, {Key: "y"}})
	d.roster([]spanlog.Destination{{Key: "b", Since: 9}, {Key: "a", Since: 5}})
	require.Equal(t, []spanlog.Destination{{Key: "a", Since: 5}, {Key: "b", Since: 7}, {Key: "c", Since: 100}}, d.known(100))
	require.Equal(t, []spanlog.Destination{{Key: "a", Since: 5}, {Key: "b", Since: 6}, {Key: "c", Since: 6}}, d.known(6),
		"the clock was set back")
	require.Equal(t, []set{2, 1 << outbox.MaxDestinations, 1, 2 << outbox.MaxDestinations}, r.each)
	require.Equal(t, outbox.Mask(3), r.all.today())
	require.Equal(t, []string{"x", "y"}, d.gone)
	require.Equal(t, set(2<<outbox.MaxDestinations), d.of("y"))
	for i := range 100 {
		d.of(fmt.Sprint(i))
	}
	require.Len(t, d.gone, 48)
	require.Equal(t, set(1<<63), d.of("45"))
	require.Zero(t, d.of("46"))

	delivered := spanlog.Event{Kind: spanlog.Delivered, Destination: 2}
	require.Equal(t, set(1), r.of(&delivered))
	delivered.Destination = spanlog.EveryDestination
	require.Equal(t, r.all, r.of(&delivered))
	require.Equal(t, r.all, r.of(&spanlog.Event{Kind: spanlog.Decided}))
}

// The first event about a part, or its revival, determines its destinations and facts.
func TestDestinationsOfAPart(t *testing.T) {
	ab, bc := roster{each: []set{1, 2}, all: 3}, roster{each: []set{2, 4}, all: 6}
	to := func(e *spanlog.Event, d uint8) *spanlog.Event {
		e.Destination = d
		return e
	}
	f := newFates()
	f.add(event(spanlog.Decided, 1, policy.Sampled, 10, 20), 0, &ab)
	f.add(event(spanlog.Decided, 1, policy.Sampled, 10, 20), 0, &bc)
	require.Equal(t, set(3), f.part(idOf(1), 10).waits)
	f.add(to(event(spanlog.Attempted, 1, policy.Sampled, 10, 20), 0), 0, &bc)
	require.Equal(t, set(2), f.part(idOf(1), 10).attempted)
	f.add(to(event(spanlog.Delivered, 1, policy.Sampled, 10, 20), 0), 0, &bc)
	require.Equal(t, set(1), f.part(idOf(1), 10).waits)
	require.Zero(t, f.part(idOf(1), 10).attempted)
	f.add(to(event(spanlog.Attempted, 1, policy.Sampled, 10, 20), 1), 0, &ab)
	require.Zero(t, f.part(idOf(1), 10).attempted, "it has it")

	f.add(to(event(spanlog.Delivered, 2, policy.Sampled, 10, 20), 1), 0, &bc)
	require.Equal(t, set(2), f.part(idOf(2), 10).waits, "its decision is lost")

	revived := event(spanlog.Decided, 3, policy.Sampled, 10, 30)
	revived.Failed, revived.Revived, revived.Trimmed = true, true, 5
	f.add(event(spanlog.Decided, 3, policy.NotSampled, 10, 20), 0, &ab)
	f.add(revived, 0, &bc)
	kept := f.part(idOf(3), 10).kept(idOf(3), 0)
	require.Equal(t, outbox.Mask(6), kept.Waits)
	require.True(t, kept.Failed && kept.Revived)
	require.EqualValues(t, 5, kept.Trimmed)

	require.Equal(t, 1, f.waiting(0))
	require.Equal(t, 2, f.waiting(1))
	require.Equal(t, 1, f.waiting(2))
	require.Zero(t, f.waiting(3))
}

// A destination that is newer than the decision does not get a trace's late part, however often the process ended since.
func TestLatePartsAreNotForNewDestinations(t *testing.T) {
	for _, shards := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			c := setup{directory: t.TempDir(), shards: 1, destinations: []string{"old"}}
			p := c.process(t)
			p.recover()
			p.add(1, 0, true)
			p.decide()
			p.add(1, 1, false)
			c.directory = p.crash()
			p.end()

			time.Sleep(10 * time.Second)
			c.shards, c.destinations = shards, []string{"new", "old"}
			for range 3 {
				p = c.process(t)
				p.recover()
				p.add(1, 2, true)
				p.finish()
				require.Empty(t, p.waiting(0))
				require.NotEmpty(t, p.waiting(1))
				c.directory = p.crash()
				p.end()
				time.Sleep(10 * time.Second)
			}

			p = c.process(t)
			p.recover()
			p.add(2, 0, true)
			p.decide()
			p.add(2, 1, true)
			p.finish()
			require.Equal(t, []wire.TraceID{idOf(2), idOf(2)}, p.waiting(0))
			p.end()
		})
	}
}
