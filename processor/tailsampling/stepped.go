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

// Stepped is a sampler without goroutines: a simulation calls its steps. Its behavior depends only on these calls, the clock and
// StepSettings. It is for one goroutine.
type Stepped struct {
	*Sampler
	turns []*delivery.Turns
	// Upkeep makes the files that are needed soon, and has those leave that were given up.
	Upkeep func()
}

// StepSettings replace the machine and chance.
type StepSettings struct {
	// System holds the span log's files.
	System spanlog.System
	// Seed is the seed of the hash of trace IDs, unless the span log has one.
	Seed [2]uint64
	// OnEvent is called before and after each event is put into a journal.
	OnEvent func(e *spanlog.Event, done bool)
	// Meanwhile is called, if it is set, while a shard is given up so that a file is read or made, or others have their turn: it may
	// take others' turns.
	Meanwhile func()
}

// NewStepped returns a sampler that Open starts.
func NewStepped(set processor.Settings, cfg *Config, next consumer.Traces, settings StepSettings) (*Stepped, error) {
	p, err := newSampler(set, cfg, next, nil)
	if err != nil {
		return nil, err
	}
	if p.store == nil {
		return nil, fmt.Errorf("storage: %q has nothing to survive a crash; write %s", cfg.Storage, storageDisk)
	}
	p.store.System, p.store.Readers = settings.System, 1
	p.buffer.Seed = index.Seed(settings.Seed)
	for _, m := range p.buffer.Members {
		m.Before = func(j shard.Journal) shard.Journal { return watched{j, settings.OnEvent} }
		if settings.Meanwhile != nil {
			m.Turns, m.WhileReading = between(m.Turns, settings.Meanwhile), whileReading(m.WhileReading, settings.Meanwhile)
		}
	}
	return &Stepped{Sampler: p}, nil
}

// watched reports each event that a journal gets.
type watched struct {
	shard.Journal
	on func(e *spanlog.Event, done bool)
}

func (w watched) Put(e spanlog.Event, at clock.UnixMilli) {
	w.on(&e, false)
	w.Journal.Put(e, at)
	w.on(&e, true)
}

// between is a pause in which others' turns are taken, before its work and after it.
func between(pause spanlog.Pause, turns func()) spanlog.Pause {
	return func(work func()) bool {
		return pause(func() {
			turns()
			if work != nil {
				work()
				turns()
			}
		})
	}
}

// whileReading is between for a pause that is none where there is no work.
func whileReading(pause spanlog.Pause, turns func()) spanlog.Pause {
	with := between(pause, turns)
	return func(work func()) bool { return work == nil || with(work) }
}

// Open reads the span log back. With fsync interval the owner calls Flush.
func (s *Stepped) Open() error {
	if err := s.store.Open(); err != nil {
		return err
	}
	var onSyncFailed func()
	if s.cfg.Fsync != fsyncNever {
		onSyncFailed = s.buffer.Rewrite
	}
	s.store.Recover(math.MaxInt64, onSyncFailed, func() {
		if s.cfg.Fsync == fsyncAlways {
			s.view.Syncer.Store(fsync.New(s.fsync, 0))
		}
		s.Upkeep = s.buffer.Pool.DeferStepped(s.buffer.WriteDeferred)
		s.buffer.WriteDeferred()
		s.buffer.SetReady()
	})
	s.life.abort = func() {}
	for _, sender := range s.output.Senders() {
		s.turns = append(s.turns, delivery.TurnsOf(sender))
	}
	return nil
}

// Decide decides the traces that are due.
func (s *Stepped) Decide() { s.decider.Once() }

// Due returns the senders that have work now, grouped by destination.
func (s *Stepped) Due() (senders []int) {
	now := s.buffer.Now()
	for i, t := range s.turns {
		if t.Due() <= now {
			senders = append(senders, i)
		}
	}
	return senders
}

// Deliver takes one turn of a sender, which calls the next component at most once. Turns of others may be taken during that
// call.
func (s *Stepped) Deliver(ctx context.Context, sender int) { s.turns[sender].Take(ctx) }

// MakeRoom makes the room that requests have asked for, and tidies up.
func (s *Stepped) MakeRoom() {
	turns := budget.Turns{Budget: s.budget}
	turns.TakeRelief()
	turns.TakeShrinking()
	turns.TakeTidying()
}

// KeepBacklogs gives up traces over delivery_budget.
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

// Stop ends all decisions and leaves the rest to the next start.
func (s *Stepped) Stop() error {
	s.decideLast()
	return s.close(true)
}

// Halt ends the remaining goroutines. It takes no shard's mutex, as the goroutine that panicked may hold it.
func (s *Stepped) Halt() { _ = s.view.Syncer.Load().Close() } // nothing is to be flushed

// Abandon frees memory and goroutines, as a kill does. System does not answer any more.
func (s *Stepped) Abandon() {
	s.Halt()
	if s.buffer.Ready() {
		s.buffer.Close()
	}
	s.buffer.Pool.Close()
}

// Outcome counts spans by their delivery to a destination since Open.
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

// Held counts the contents of the buffer.
type Held struct {
	Spans, Undecided, Undelivered int64
	// Refused counts traces that were refused for good, once for each destination.
	Refused int64
	// Lost counts spans that could not be read back.
	Lost int64
	// Skipped counts events that the journals did not take, or that wait for a file.
	Skipped int64
	// Volatile counts segments that are in no file because the disk failed.
	Volatile int64
}

// Held returns the contents of the buffer.
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
