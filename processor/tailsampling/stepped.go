package tailsampling

import (
	"context"
	"fmt"
	"math"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/budget"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/fsync"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// Stepped is a sampler whose goroutines do not run: its owner, a simulation, takes their turns. What it does is then a function of
// the calls that are made, of the clock and of StepSettings. It is for one goroutine.
type Stepped struct {
	*Sampler
	turns []*delivery.Turns
	// Upkeep makes the files that are needed soon, and has those leave that were given up.
	Upkeep func()
}

// StepSettings stand for the machine, and for chance.
type StepSettings struct {
	// System is where the span log is.
	System spanlog.System
	// Seed is that of the hashes of trace IDs, where the span log has none yet.
	Seed [2]uint64
	// OnEvent is called before and after each event that is put into a journal.
	OnEvent func(e *spanlog.Event, done bool)
}

// NewStepped returns a sampler that Open starts.
func NewStepped(set processor.Settings, cfg *Config, next consumer.Traces, with StepSettings) (*Stepped, error) {
	p, err := newSampler(set, cfg, next, nil)
	if err != nil {
		return nil, err
	}
	if p.store == nil {
		return nil, fmt.Errorf("storage: %q has nothing to survive a crash; write %s", cfg.Storage, storageDisk)
	}
	p.store.System, p.store.Readers = with.System, 1
	p.buffer.Seed = index.Seed(with.Seed)
	for _, m := range p.buffer.Members {
		m.Before = func(j shard.Journal) shard.Journal { return watched{j, with.OnEvent} }
	}
	return &Stepped{Sampler: p}, nil
}

// watched tells of what a journal gets.
type watched struct {
	shard.Journal
	on func(e *spanlog.Event, done bool)
}

func (w watched) Put(e spanlog.Event, at clock.UnixMilli) {
	w.on(&e, false)
	w.Journal.Put(e, at)
	w.on(&e, true)
}

// Open reads back what is there. With fsync interval the owner calls Flush.
func (s *Stepped) Open() error {
	if err := s.store.Open(); err != nil {
		return err
	}
	var onSyncFailed func()
	if s.cfg.Fsync != fsyncNever {
		onSyncFailed = s.buffer.WriteAgain
	}
	s.store.Recover(math.MaxInt64, onSyncFailed, func() {
		if s.cfg.Fsync == fsyncAlways {
			s.view.Syncer.Store(fsync.New(s.fsync, 0))
		}
		s.Upkeep = s.buffer.Pool.DeferStepped(s.buffer.CatchUp)
		s.buffer.CatchUp()
		s.buffer.SetReady()
	})
	s.life.abort = func() {}
	for _, sender := range s.output.Senders() {
		s.turns = append(s.turns, delivery.TurnsOf(sender))
	}
	return nil
}

// Decide does what is due.
func (s *Stepped) Decide() { s.decider.Once() }

// Due are the senders that have something to do now. Those of a destination follow each other.
func (s *Stepped) Due() (senders []int) {
	now := s.buffer.Now()
	for i, t := range s.turns {
		if t.Due() <= now {
			senders = append(senders, i)
		}
	}
	return senders
}

// Deliver takes a turn of a sender, with one call of the next component at most. Others' turns may be taken during that call.
func (s *Stepped) Deliver(ctx context.Context, sender int) { s.turns[sender].Take(ctx) }

// MakeRoom does what requests have asked for, and what is done every now and then.
func (s *Stepped) MakeRoom() {
	turns := budget.Turns{Budget: s.budget}
	turns.TakeRelief()
	turns.TakeShrinking()
	turns.TakeTidying()
}

// KeepBacklogs gives up what is over delivery_budget.
func (s *Stepped) KeepBacklogs() {
	s.backlogs.Keep(nil)
	s.backlogs.Kept()
}

// Flush flushes the files, as fsync interval does.
func (s *Stepped) Flush() error { return s.fsync() }

// TakePolicies takes the policies of another configuration, as a reload does.
func (s *Stepped) TakePolicies(cfg *Config) error {
	s.policies.swapping.Lock()
	defer s.policies.swapping.Unlock()
	_, err := s.policies.apply(cfg)
	return err
}

// Stop decides nothing more, and leaves everything to the next start.
func (s *Stepped) Stop() error {
	s.decideLast()
	return s.close(true)
}

// Abandon gives back what the process' memory and goroutines are, as a kill does. System does not answer any more.
func (s *Stepped) Abandon() {
	_ = s.view.Syncer.Load().Close() // nothing is to be flushed
	if s.buffer.Ready() {
		s.buffer.Close()
	}
	s.buffer.Pool.Close()
}

// Outcome is what became of kept spans on the way to a destination, since Open.
type Outcome struct {
	GivenUpTraces, RefusedSpans, DeliveredTraces int64
}

// Outcomes returns those of the destinations, in the order of the configuration.
func (s *Stepped) Outcomes() (list []Outcome) {
	for _, d := range s.output.Destinations {
		list = append(list, Outcome{
			GivenUpTraces: d.UndeliveredTraces.Load(), RefusedSpans: d.RefusedSpans.Load(), DeliveredTraces: d.DeliveredTraces.Load(),
		})
	}
	return list
}

// Held is what is in the buffer.
type Held struct {
	Spans, Undecided, Undelivered int64
	// Refused are traces that a destination refused for good, for each destination.
	Refused int64
	// Lost are spans that were there and could not be read back.
	Lost int64
	// Skipped are events that the journals did not take, or that wait for a file.
	Skipped int64
	// Volatile are segments that are in no file, because the disk failed.
	Volatile int64
}

// Held returns what is in the buffer.
func (s *Stepped) Held() (h Held) {
	sum := s.buffer.Sum()
	h = Held{Spans: sum.Spans, Undecided: sum.Pending, Undelivered: sum.Undelivered}
	for _, d := range s.output.Destinations {
		h.Refused += d.Backlog().Refused.Traces
	}
	for _, m := range s.buffer.Members {
		if m.Journal != nil {
			h.Skipped += m.Journal.Skipped + int64(m.Journal.Waiting())
		}
	}
	h.Lost = s.output.Lost.Load() + s.store.Lost.Load()
	h.Volatile = s.buffer.Pool.Volatile()
	return h
}
