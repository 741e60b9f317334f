// Package clocks finds the processes whose clocks are behind: those whose spans ended, by their own clock, long before they were
// counted. Their ages say nothing about when the spans ended, so their events count in the minute in which they arrive.
//
// Its types are Clocks (all processes), Process (a service and its instance) and Ages (what a request adds to a process).
//
//	a process is   and becomes the other
//	right          after 5 minutes in a row in each of which more than half of its events were older than 2 minutes
//	off            after 5 minutes in a row in none of which that was so
//
// Minutes without events are left out. What is known of a process is forgotten after an hour without events, and by a restart.
package clocks

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/count/lookup"
)

const (
	// OldAfter is the age in ns above which an event speaks against its process's clock.
	OldAfter = uint64(2 * time.Minute)
	// FutureAfter is how far ahead of now, in ns, the end of a span counts as future.
	FutureAfter = uint64(time.Second)

	// turnAfter is how many minutes in a row change the opinion of a clock.
	turnAfter = 5
	// forgottenAfter is how many minutes without events a process is remembered.
	forgottenAfter = 60
	// maxProcesses bounds the processes that are told apart. Those beyond are judged with all others of their service.
	maxProcesses    = 10_000
	millisPerMinute = 60_000
)

// Clocks holds the processes. It is safe for concurrent use, except for Judge, which one goroutine calls.
type Clocks struct {
	table atomic.Pointer[lookup.Table[Process]]
	// mu guards changes of the table, and the list of its processes.
	mu        sync.Mutex
	processes []*Process
	judged    int64 // the minute until which they were judged
	off       atomic.Pointer[[]slo.ClockOff]
}

// Process is a process that sends spans: a service, and an instance where it names one.
type Process struct {
	key               lookup.Key
	service, instance string

	spans, old, future atomic.Int64
	behind             atomic.Uint64 // sum over old events, in ms
	off                atomic.Bool

	// The rest belongs to Judge.
	row   int   // how many minutes in a row speak against the opinion
	seen  int64 // the last minute with events
	clock slo.ClockOff
}

// Ages adds up events until they are noted.
type Ages struct {
	Spans, Old, Future uint32
	// Behind is the sum of the ages of Old, in ns. It may wrap around after 500 years.
	Behind uint64
}

// New returns no processes.
func New() *Clocks {
	c := &Clocks{}
	c.table.Store(lookup.New[Process]())
	c.off.Store(new([]slo.ClockOff))
	return c
}

// Of returns the process of an instance of a service. The seed stands for the service, and the instance may be empty. It allocates
// nothing for a process that is known.
func (c *Clocks) Of(service string, seed uint64, instance []byte) *Process {
	key := lookup.KeyOf(instance, seed)
	if cell := c.table.Load().Find(key); cell != nil {
		return cell.Value
	}
	return c.add(service, seed, instance)
}

func (c *Clocks) add(service string, seed uint64, instance []byte) *Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.processes) >= maxProcesses {
		instance = nil
	}
	key := lookup.KeyOf(instance, seed)
	if cell := c.table.Load().Find(key); cell != nil {
		return cell.Value
	}
	p := &Process{key: key, service: service, instance: string(instance), seen: c.judged}
	c.processes = append(c.processes, p)
	c.table.Load().Insert(key, p, 0, 0)
	return p
}

// Off reports whether the clock of the process is off.
func (p *Process) Off() bool { return p.off.Load() }

// Note adds the ages of some events.
func (p *Process) Note(a *Ages) {
	if a.Spans == 0 {
		return
	}
	p.spans.Add(int64(a.Spans))
	if a.Old > 0 {
		p.old.Add(int64(a.Old))
		p.behind.Add(a.Behind / uint64(time.Millisecond))
	}
	if a.Future > 0 {
		p.future.Add(int64(a.Future))
	}
}

// Verdict is a process whose clock is off since this minute, or is right again.
type Verdict struct {
	slo.ClockOff
	Off bool
}

// Judge judges the processes by the minutes that ended before the time at, in Unix ms. It returns those of which the opinion changed.
func (c *Clocks) Judge(at int64) (changed []Verdict) {
	minute := at / millisPerMinute
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.judged == 0
	if minute == c.judged {
		return nil
	}
	c.judged = minute
	if first { // the minute began before anybody counted
		for _, p := range c.processes {
			p.seen = minute
		}
		return nil
	}
	var off []slo.ClockOff
	gone := 0
	for _, p := range c.processes {
		if p.judge(minute) {
			changed = append(changed, Verdict{p.clock, p.Off()})
		}
		if p.Off() {
			off = append(off, p.clock)
		}
		if minute-p.seen > forgottenAfter || p.seen > minute {
			gone++
		}
	}
	slices.SortFunc(off, func(a, b slo.ClockOff) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Instance, b.Instance))
	})
	c.off.Store(&off)
	if gone > 0 {
		c.forget(minute)
	}
	return changed
}

// judge takes the events since the last call for those of a minute. It reports whether the opinion changed.
func (p *Process) judge(minute int64) (changed bool) {
	spans, old, behind := p.spans.Swap(0), p.old.Swap(0), p.behind.Swap(0)
	if spans == 0 {
		return false
	}
	p.seen = minute
	against := 2*old > spans
	if against {
		p.clock.Service, p.clock.Instance = p.service, p.instance
		p.clock.Behind = time.Duration(behind/uint64(old)) * time.Millisecond
	}
	if against == p.Off() {
		p.row = 0
		return false
	}
	if p.row++; p.row < turnAfter {
		return false
	}
	p.row = 0
	if against {
		p.clock.Since = time.UnixMilli(minute * millisPerMinute).UTC()
	}
	p.off.Store(against)
	return true
}

// forget removes processes without events. Readers go on with the former table until they see the new one. The caller holds mu.
func (c *Clocks) forget(minute int64) {
	table := lookup.New[Process]()
	c.processes = slices.DeleteFunc(c.processes, func(p *Process) bool {
		if p.seen > minute { // the clock was set back
			p.seen = minute
		}
		if minute-p.seen > forgottenAfter {
			return true
		}
		table.Insert(p.key, p, 0, 0)
		return false
	})
	c.table.Store(table)
}

// Off returns the processes whose clocks are off, by service and instance. The result is read-only.
func (c *Clocks) Off() []slo.ClockOff { return *c.off.Load() }

// TakeFuture calls add with how many events of a service ended in the future since the last call.
func (c *Clocks) TakeFuture(add func(service string, events int64)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.processes {
		if n := p.future.Swap(0); n > 0 {
			add(p.service, n)
		}
	}
}
