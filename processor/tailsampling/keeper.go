package tailsampling

import (
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/internal/wire"
)

// keeper keeps traces for the objectives of the component that counts the spans.
type keeper Sampler

var _ exemplars.Keeper = (*keeper)(nil)

// PerMinute implements exemplars.Keeper.
func (k *keeper) PerMinute() int { return k.cfg.ObjectiveExemplars }

// markTime is how long a caller waits for a shard.
const markTime = 50 * time.Millisecond

// Keep implements exemplars.Keeper. A mark in files survives a crash, as spans do.
func (k *keeper) Keep(trace wire.TraceID) {
	k.life.gate.RLock()
	defer k.life.gate.RUnlock()
	if k.life.closed || !k.buffer.Ready() {
		return
	}
	if err := k.buffer.Mark(trace, clock.Now().Add(markTime)); err != nil {
		k.buffer.Warn("a trace with a bad event was not marked: it is kept only if a policy samples it", err)
	}
}

// Fate implements exemplars.Keeper. Where the shard is locked for long the fate is undecided, so that a slow disk delays no counts.
func (k *keeper) Fate(trace wire.TraceID) exemplars.Fate {
	if !k.buffer.Ready() {
		return exemplars.Undecided
	}
	m, hash := k.buffer.Of(trace)
	if !m.LockWithin(markTime) {
		return exemplars.Undecided
	}
	defer m.Unlock()
	return m.Known().Fate(hash, &trace)
}
