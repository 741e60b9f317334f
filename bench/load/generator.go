package load

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Settings of a Generator.
type Settings struct {
	Endpoint        string
	Protocol        Protocol
	Connections     int
	SpansPerRequest int
	// Rate in spans per second; 0 is as fast as the target answers.
	Rate int
	Mix  Mix
}

// Generator sends traces until its context ends. Stats may be called at any time.
type Generator struct {
	set       Settings
	templates [len(services)]template
	next      atomic.Uint64 // number of the next trace
	spans     atomic.Uint64
	refused   atomic.Uint64
	bytes     atomic.Uint64

	mu        sync.Mutex
	latencies []time.Duration
	lastErr   error
}

// Stats are what a generator has sent so far.
type Stats struct {
	Spans, Refused, Bytes uint64
	// Traces is how many traces were begun: their numbers are 0 to Traces−1.
	Traces uint64
	// P50 and P99 of the time that an accepted request took, since ResetLatencies.
	P50, P99 time.Duration
	LastErr  error
}

// New encodes the requests.
func New(set Settings) *Generator {
	g := &Generator{set: set}
	for service := range g.templates {
		g.templates[service] = newTemplate(service, set.SpansPerRequest)
	}
	return g
}

// BytesPerSpan is the mean encoded size.
func (g *Generator) BytesPerSpan() float64 {
	bytes, spans := 0.0, 0.0
	for _, t := range g.templates {
		own := float64(len(t.slots)) / float64(t.traces) // weight each service by its share of a trace
		bytes += float64(len(t.body)) / float64(len(t.slots)) * own
		spans += own
	}
	return bytes / spans
}

// Run sends until ctx ends, on all connections, and returns the first error that was not the target's refusal.
func (g *Generator) Run(ctx context.Context) error {
	var running sync.WaitGroup
	errs := make([]error, g.set.Connections)
	for i := range g.set.Connections {
		running.Go(func() { errs[i] = g.connection(ctx, i) })
	}
	running.Wait()
	return errors.Join(errs...)
}

// connection takes blocks of traces and sends each block's five services' requests.
func (g *Generator) connection(ctx context.Context, number int) error {
	s, err := newSender(g.set.Endpoint, g.set.Protocol)
	if err != nil {
		return err
	}
	defer s.close()
	const block = 1 << 10
	body := make([]byte, 0, 1<<20)
	pace := newPacer(g.set.Rate, g.set.Connections)
	pace.delay(float64(g.set.SpansPerRequest) * float64(number) / float64(g.set.Connections))
	// A block's traces are as many as the largest template holds, so that every service sends whole requests.
	for ctx.Err() == nil {
		first := g.next.Add(block) - block
		if err := g.sendBlock(ctx, s, first, block, &body, pace); err != nil {
			return err
		}
	}
	return nil
}

// sendBlock interleaves the services over the block, so that a trace's requests come close together, as they do when
// every service exports once a second or so.
func (g *Generator) sendBlock(ctx context.Context, s sender, first, n uint64, body *[]byte, pace *pacer) error {
	var done [len(services)]uint64
	for {
		service, least := -1, n
		for i, d := range done {
			if d < least {
				service, least = i, d
			}
		}
		if service < 0 {
			return nil
		}
		t := &g.templates[service]
		part := t
		if left := int(n - least); left < t.traces {
			part = shortened(service, left)
		}
		if cap(*body) < len(part.body) {
			*body = make([]byte, len(part.body))
		}
		*body = (*body)[:len(part.body)]
		if !pace.wait(ctx, len(part.slots)) {
			return nil
		}
		part.fresh(*body, first+least, time.Now().UnixNano(), g.set.Mix)
		if !g.deliver(ctx, s, *body, len(part.slots)) {
			return nil
		}
		done[service] += uint64(part.traces)
	}
}

var shorter sync.Map // [2]int → *template: the requests at the ends of blocks

func shortened(service, traces int) *template {
	key := [2]int{service, traces}
	if t, ok := shorter.Load(key); ok {
		return t.(*template)
	}
	own := 0
	for _, p := range plan {
		if p.service == service {
			own++
		}
	}
	t := newTemplate(service, traces*own)
	actual, _ := shorter.LoadOrStore(key, &t)
	return actual.(*template)
}

// deliver sends a request until the target accepts it. It is false where ctx ended first.
func (g *Generator) deliver(ctx context.Context, s sender, body []byte, spans int) bool {
	for {
		begin := time.Now()
		err := s.send(ctx, body)
		took := time.Since(begin)
		if ctx.Err() != nil {
			return false
		}
		if err == nil {
			g.spans.Add(uint64(spans))
			g.bytes.Add(uint64(len(body)))
			g.mu.Lock()
			g.latencies = append(g.latencies, took)
			g.mu.Unlock()
			return true
		}
		g.refused.Add(uint64(spans))
		g.mu.Lock()
		g.lastErr = err
		g.mu.Unlock()
		timer := time.NewTimer(100 * time.Millisecond)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}

// ResetLatencies forgets the request times so far, such as those of the warm-up.
func (g *Generator) ResetLatencies() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.latencies = g.latencies[:0]
}

// Stats returns what was sent so far.
func (g *Generator) Stats() Stats {
	g.mu.Lock()
	sorted := slices.Clone(g.latencies)
	lastErr := g.lastErr
	g.mu.Unlock()
	slices.Sort(sorted)
	s := Stats{Spans: g.spans.Load(), Refused: g.refused.Load(), Bytes: g.bytes.Load(), Traces: g.next.Load(), LastErr: lastErr}
	if len(sorted) > 0 {
		s.P50, s.P99 = sorted[len(sorted)/2], sorted[len(sorted)*99/100]
	}
	return s
}

// pacer spreads one connection's share of the rate evenly.
type pacer struct {
	// scale is the nanoseconds per span of this connection; 0 is no limit.
	scale float64
	due   time.Time
}

func newPacer(rate, connections int) *pacer {
	if rate == 0 {
		return &pacer{}
	}
	return &pacer{scale: float64(connections) / float64(rate) * float64(time.Second), due: time.Now()}
}

// delay puts the first request off by the time of so many spans, so that connections do not send in step.
func (p *pacer) delay(spans float64) {
	p.due = p.due.Add(time.Duration(spans * p.scale))
}

// wait returns when that many more spans are due, and false where ctx ended first.
func (p *pacer) wait(ctx context.Context, spans int) bool {
	if p.scale == 0 {
		return ctx.Err() == nil
	}
	p.due = p.due.Add(time.Duration(p.scale * float64(spans)))
	late := time.Until(p.due)
	if late <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(late)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
