package sim

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/test/sim/internal/due"
)

// Result is the result of a seed.
type Result struct {
	Problems []string // broken laws
	Record   string   // the steps, one per line
	Summary  string
}

// Run simulates the world of a seed. It is called in a bubble of testing/synctest.
func Run(seed uint64) Result {
	w := newWorld(seed)
	defer w.end()
	w.live()
	return Result{Problems: w.problems, Record: w.record.String(), Summary: w.summary()}
}

// end releases everything.
func (w *World) end() {
	w.restore()
	w.stopEngine()
	if w.alerts.root != "" {
		if err := os.RemoveAll(w.alerts.root); err != nil {
			panic(err)
		}
	}
}

func newWorld(seed uint64) *World {
	w := &World{
		seed: seed, rng: rand.New(rand.NewPCG(seed, 0x5eed)), began: time.Now(), restore: func() {},
		traces: map[[16]byte]*trace{}, spans: map[[8]byte]*span{}, destinations: map[string]*backend{},
		tally: tally{givenUp: map[string]int64{}}, busy: map[string]bool{},
	}
	w.scenario = newScenario(w.rng)
	w.scenario.upkeep = [...]int{1, 1, 2, 5, 40}[seed%5]
	w.log("seed %d: %s", seed, w.scenario)
	w.disk = NewDisk(w.rng, w.at)
	w.place = &place{w: w, room: pick(w.rng, 1<<10, 4<<10, 32<<10)}
	w.database = &database{w: w, series: map[string]*series{}}
	for _, d := range w.scenario.config.Destinations {
		w.order = append(w.order, d.ID)
		w.destinations[d.ID] = &backend{id: d.ID, got: map[[8]byte]int{}, settled: map[[8]byte]bool{}}
	}
	if w.scenario.alerts {
		for _, name := range []string{"pager", "chat"}[:1+w.rng.IntN(2)] {
			w.alerts.receivers = append(w.alerts.receivers, &receiver{w: w, name: name, bodies: map[string]string{}, done: map[string]done{}})
		}
		var err error
		if w.alerts.root, err = os.MkdirTemp(memory(), "sim"); err != nil {
			panic(err)
		}
	}
	return w
}

// memory returns a directory for files that need not survive: on a memory filesystem, if there is one.
func memory() string {
	const shared = "/dev/shm"
	if info, err := os.Stat(shared); err == nil && info.IsDir() {
		return shared
	}
	return ""
}

// live takes the steps, and checks their results. A panic is a broken law, too.
func (w *World) live() {
	defer func() {
		if r := recover(); r != nil {
			w.problem("the gateway panics: %v\n%s", r, debug.Stack())
			w.disk.ended = true
			w.gateway.Halt()
		}
	}()
	w.start()
	for range w.scenario.steps {
		if len(w.problems) > 0 {
			break
		}
		w.step()
		w.keepUp()
		w.settle()
		if w.ended() {
			w.bury()
			w.start()
		}
	}
	if len(w.problems) == 0 {
		w.heal()
	}
	if len(w.problems) == 0 {
		w.check()
	}
	w.disk.ended = true
	w.gateway.Abandon()
}

// action is a kind of step, with its weight.
type action struct {
	weight int
	take   func(w *World)
}

// actions can be taken at any time, even while a destination hangs.
var actions = []action{
	{30, (*World).send},
	{6, (*World).sendAgain},
	{3, (*World).repeat},
	{12, (*World).decide},
	{30, (*World).deliver},
	{14, (*World).pass},
	{4, (*World).makeRoom},
	{3, (*World).keepBacklogs},
	{3, (*World).flush},
	{6, (*World).emit},
	{4, (*World).evaluate},
	{4, (*World).tell},
	{4, (*World).change},
	{1, (*World).reload},
	{2, (*World).breakDisk},
	{2, (*World).kill},
	{1, (*World).jumpClock},
	{1, (*World).retryRefused},
	{1, (*World).spell},
	{1, (*World).siege},
	{1, (*World).failFlush},
}

// step takes a random step.
func (w *World) step() {
	w.steps++
	if w.besieged && w.depth == 0 {
		w.besieged = false
		w.siege()
		return
	}
	all := 0
	for _, a := range actions {
		all += a.weight
	}
	n := w.rng.IntN(all)
	for _, a := range actions {
		if n -= a.weight; n < 0 {
			a.take(w)
			return
		}
	}
}

// meanwhile takes steps while a destination hangs.
func (w *World) meanwhile(steps int) {
	const deepest = 3
	if w.depth++; w.depth <= deepest {
		for range steps {
			if w.ended() || len(w.problems) > 0 {
				break
			}
			w.step()
		}
	}
	w.depth--
}

// keepUp creates the files that are needed soon, and deletes given-up ones, after the number of steps that the disk takes for it.
func (w *World) keepUp() {
	if w.steps%w.scenario.upkeep == 0 && !w.ended() {
		w.gateway.Upkeep()
	}
}

// pass lets time pass.
func (w *World) pass() {
	d := pick(w.rng, time.Millisecond, 20*time.Millisecond, 120*time.Millisecond, 700*time.Millisecond, 3*time.Second, 12*time.Second, 40*time.Second)
	w.log("%v go by", d)
	w.sleep(d)
}

// send sends a request with the next spans of some traces.
func (w *World) send() {
	for len(w.open) < 1+w.rng.IntN(6) {
		t := newTrace(w.rng, w.now(), w.scenario.padded, w.scenario.failing)
		t.poisoned = w.scenario.moods && w.rng.IntN(20) == 0
		w.all, w.open = append(w.all, t), append(w.open, t)
		w.traces[t.id] = t
		for _, s := range t.spans {
			w.spans[s.id] = s
		}
	}
	w.requests++
	r := &request{number: w.requests}
	for range 1 + w.rng.IntN(5) {
		if len(w.open) == 0 {
			break
		}
		t := w.open[w.rng.IntN(len(w.open))]
		for range 1 + w.rng.IntN(4) {
			if t.next < len(t.spans) {
				t.spans[t.next].started = w.now().Add(-t.spans[t.next].took)
				r.spans = append(r.spans, t.spans[t.next])
				t.next++
			}
		}
		if t.next == len(t.spans) {
			w.open = remove(w.open, t)
		}
	}
	r.body = encode(r.spans)
	w.sent = append(w.sent, r)
	w.deliverTo(r)
}

// deliverTo sends a request to the gateway.
func (w *World) deliverTo(r *request) {
	if len(r.spans) == 0 {
		return
	}
	w.at("request")
	if w.ended() {
		w.unanswered = append(w.unanswered, r)
		return
	}
	var scanned wire.Request
	if err := scanned.Scan(append([]byte(nil), r.body...)); err != nil {
		w.problem("request %d cannot be read: %v", r.number, err)
		return
	}
	for i, s := range r.spans {
		s.given++
		s.body = hash(scanned.Spans[i].Body.Of(scanned.Bytes))
	}
	var front interface {
		ConsumeTraces(context.Context, ptrace.Traces) error
	} = w.gateway
	if w.front != nil {
		front = w.front
	}
	err := front.ConsumeTraces(wire.NewContext(context.Background(), &scanned), ptrace.NewTraces())
	clear(scanned.Bytes) // the receiver reuses them
	w.at("answer")
	if w.ended() {
		r.died = true
		w.taken(r)
		w.log("request %d with spans of%s is not answered", r.number, r)
		w.unanswered = append(w.unanswered, r)
		return
	}
	w.log("request %d with spans of%s: %s", r.number, r, brief(err))
	if err != nil {
		w.unanswered = append(w.unanswered, r)
		return
	}
	r.acked = true
	w.taken(r)
	for _, s := range r.spans {
		w.acknowledge(s)
	}
	if w.answered = append(w.answered, r); len(w.answered) > 16 {
		w.answered = w.answered[1:]
	}
}

// taken records that a request was accepted, or may have been.
func (w *World) taken(r *request) {
	if r.times++; r.times == 1 {
		r.tried = due.MinuteOf(w.now())
	}
	if w.scenario.alerts && !slices.Contains(w.alerts.pending, r) {
		w.alerts.pending = append(w.alerts.pending, r)
	}
}

// acknowledge records that a span was acknowledged.
func (w *World) acknowledge(s *span) {
	t := s.trace
	if !s.acked {
		s.acked, s.life = true, w.lives
	}
	s.safe = s.safe || w.scenario.config.Fsync == "always"
	if !s.failed {
		return
	}
	switch window := w.scenario.config.ReviveWindow; {
	case t.decided == 0:
		t.erred = true
	case t.decidedIn == w.lives && w.elapsed() < t.decidedAt+window-time.Millisecond:
		t.mustBeSampled = true
	}
}

// sendAgain sends requests again that were refused or not answered.
func (w *World) sendAgain() {
	if len(w.unanswered) == 0 {
		return
	}
	r := w.unanswered[w.rng.IntN(len(w.unanswered))]
	w.unanswered = remove(w.unanswered, r)
	w.deliverTo(r)
}

// repeat sends answered requests again, as if their answers had been lost.
func (w *World) repeat() {
	if w.scenario.repeats && len(w.answered) > 0 {
		w.deliverTo(w.answered[w.rng.IntN(len(w.answered))])
	}
}

func (w *World) decide() { w.once("decider", w.gateway.Decide) }

func (w *World) deliver() {
	if due := w.gateway.Due(); len(due) > 0 {
		w.gateway.Deliver(context.Background(), due[w.rng.IntN(len(due))])
	}
}

func (w *World) flush() {
	if w.scenario.config.Fsync != "interval" {
		return
	}
	var acked []*span
	for _, t := range w.all {
		for _, s := range t.spans {
			if s.acked {
				acked = append(acked, s)
			}
		}
	}
	err := w.gateway.Flush()
	w.log("the files are flushed: %v", err)
	if err == nil && !w.ended() {
		for _, s := range acked {
			s.safe = true
		}
	}
}

// change changes a destination's answers.
func (w *World) change() {
	if w.scenario.moods && len(w.alerts.receivers) > 0 && w.rng.IntN(3) == 0 {
		r := w.alerts.receivers[w.rng.IntN(len(w.alerts.receivers))]
		r.mood = pick(w.rng, works, works, busy, losesAnswer, hangs)
		w.log("%s %s", r.name, moodNames[r.mood])
	} else if w.scenario.moods {
		d := w.destinations[w.order[w.rng.IntN(len(w.order))]]
		if d.mood = works; w.rng.IntN(2) == 0 {
			d.mood = mood(w.rng.IntN(int(moods)))
		}
		w.log("%s", d)
	}
}

func (w *World) reload() {
	err := w.gateway.TakePolicies(pick(w.rng, w.scenario.config, w.scenario.reloaded))
	w.log("the policies are reloaded: %v", err)
}

func (w *World) breakDisk() {
	if !w.scenario.diskFaults {
		return
	}
	f := &w.disk.faults
	*f = DiskFaults{}
	switch w.rng.IntN(8) {
	case 0, 1:
		f.Full = true
	case 2:
		f.Fsync = true
	case 3:
		f.Read = true
		w.tally.misread = true
	case 4:
		f.Write = true
	case 5:
		f.Evict = true
	}
	w.place.broken = f.Full && w.rng.IntN(2) == 0
	if broken := w.rng.IntN(4) == 0; broken != w.database.broken {
		w.database.broken, w.database.since = broken, w.elapsed()
	}
	w.log("disk: %+v, counts %v, database %v", *f, w.place.broken, w.database.broken)
}

// kill makes the process end soon.
func (w *World) kill() {
	if w.death.in > 0 || !w.scenario.kills || w.ended() {
		return
	}
	w.death.in = 1 + w.rng.IntN(60)
	w.death.cut = w.scenario.cuts && w.rng.IntN(3) == 0
	w.relapse = w.scenario.cuts && !w.death.cut && w.rng.IntN(2) == 0
}

func (w *World) jumpClock() {
	if w.scenario.jumps {
		w.setClock(pick(w.rng, 0, 0, time.Hour, -time.Hour, 25*time.Hour, -25*time.Hour, 400*24*time.Hour))
		w.log("the machine's clock is off by %v", w.clock.off)
	}
}

func (w *World) retryRefused() { w.gateway.RetryRefused(nil, "") }

func (w *World) makeRoom() { w.once("relief", w.gateway.MakeRoom) }

func (w *World) keepBacklogs() { w.once("backlogs", w.gateway.KeepBacklogs) }

// heal ends all faults and lets time pass until no work is left.
func (w *World) heal() {
	w.log("all is well from now on")
	w.healing, w.death, w.disk.faults = true, death{}, DiskFaults{}
	w.setClock(0)
	w.place.broken, w.database.broken = false, false
	for _, r := range w.alerts.receivers {
		r.mood = works
	}
	for _, id := range w.order {
		w.destinations[id].mood = works
	}
	const (
		rounds    = 3000
		lastEvery = 11 * time.Second
	)
	for round := range rounds {
		for _, r := range w.unanswered {
			if !r.died || r.number%2 == 0 {
				w.unanswered = remove(w.unanswered, r)
				w.deliverTo(r)
				break
			}
		}
		w.gateway.Decide()
		w.gateway.MakeRoom()
		w.gateway.KeepBacklogs()
		w.gateway.Upkeep()
		w.flush()
		if round%50 == 0 {
			w.emit()
		}
		for _, sender := range w.gateway.Due() {
			w.gateway.Deliver(context.Background(), sender)
		}
		w.settle()
		h := w.gateway.Held()
		if h.Spans == 0 && h.Undecided == 0 && w.settledRequests() || len(w.problems) > 0 {
			break
		}
		w.gateway.RetryRefused(nil, "")
		w.sleep(min(time.Minute, 50*time.Millisecond*time.Duration(1+round)))
	}
	last := 3
	if w.scenario.jumps {
		// A process that starts with a clock that is behind follows the newest of its files, to within JumpAllowed. If that is
		// slightly before the last flush, flushes wait until the time has caught up.
		last += int(clock.JumpAllowed / lastEvery)
	}
	for range last { // the last counts
		w.sleep(lastEvery)
		w.emit()
	}
	if w.alerts.engine == nil {
		return
	}
	for range 40 { // and their consequences
		w.sleep(time.Minute + 7*time.Second)
		w.evaluate()
		w.tell()
	}
}

// settledRequests reports whether every sender that still runs has its answer.
func (w *World) settledRequests() bool {
	for _, r := range w.unanswered {
		if !r.died || r.number%2 == 0 {
			return false
		}
	}
	return true
}
