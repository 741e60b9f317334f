package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/slo/notify"
)

var (
	_ engine.Reader     = (*fakeEngine)(nil)
	_ tracestore.Reader = (*fakeStore)(nil)
	_ sampler           = (*fakeSampler)(nil)
	_ sampler           = (*tailsampling.Sampler)(nil)
	_ prometheus        = (*fakePrometheus)(nil)
	_ host.Prober       = (*probing)(nil)
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// fakeEngine has an objective with every value set, and one without events.
type fakeEngine struct {
	nothing
	statuses engine.Statuses
	err      error
	asked    struct {
		name       string
		start, end time.Time
		step       time.Duration
	}
}

func newFakeEngine() *fakeEngine {
	rate := ptr(14.5)
	full := engine.Status{
		Definition: engine.Definition{
			Name: "checkout/availability (v2)", Description: "d", Service: "checkout", Labels: map[string]string{"team": "shop"},
			Indicator: engine.Indicator{Type: slo.Latency, Service: "checkout", Kind: "server", Operations: []string{"POST /checkout"},
				Attributes: map[string]string{"http.route": "/checkout"}, ThresholdMS: 300},
			Target: 0.999, Window: "30d", WindowSeconds: 2592000,
		},
		EvaluatedUntil: &noon, State: engine.StateOK,
		Events: engine.Events{Total: 1000, Bad: 2}, ErrorRatio: ptr(0.002),
		Budget:    engine.Budget{RemainingRatio: -1, RemainingPercent: -100, AllowedEvents: 1, RemainingEvents: -1, TotalMinutes: 43.2, RemainingMinutes: -43.2, Policy: slo.Exhausted},
		BurnRates: []engine.BurnRate{{Window: "5m", WindowSeconds: 300, Total: 10, Bad: 1, ErrorRatio: ptr(0.1), BurnRate: rate}},
		Tiers: []engine.Tier{{Severity: slo.Page, LongWindow: "1h", ShortWindow: "5m", Factor: 14.4, BudgetPercent: 2,
			LongBurnRate: rate, ShortBurnRate: rate, Active: true, Reachable: true, ExhaustionSeconds: ptr(3600.0)}},
		Alert: engine.AlertState{State: alert.Firing, Severity: slo.Page, Since: &noon, Summary: "burns"},
	}
	empty := engine.Status{
		Definition: engine.Definition{Name: "quiet", Labels: map[string]string{}, Window: "7d", WindowSeconds: 604800,
			Indicator: engine.Indicator{Type: slo.PromQL, Operations: []string{}, Attributes: map[string]string{}}},
		State:  engine.StateNoData,
		Budget: engine.Budget{Policy: slo.Normal}, BurnRates: []engine.BurnRate{{Window: "5m", WindowSeconds: 300}},
		Tiers: []engine.Tier{{Severity: slo.Ticket}}, Alert: engine.AlertState{State: alert.Inactive},
	}
	return &fakeEngine{statuses: engine.Statuses{EvaluatedUntil: &noon, Objectives: []engine.Status{full, empty}}}
}

func (e *fakeEngine) Objectives() []slo.Objective { return nil }
func (e *fakeEngine) Statuses() engine.Statuses   { return e.statuses }

func (e *fakeEngine) Status(name string) (engine.Status, bool) {
	i := slices.IndexFunc(e.statuses.Objectives, func(s engine.Status) bool { return s.Name == name })
	if i < 0 {
		return engine.Status{}, false
	}
	return e.statuses.Objectives[i], true
}

func (e *fakeEngine) History(name string, start, end time.Time, step time.Duration) (engine.History, error) {
	e.asked.name, e.asked.start, e.asked.end, e.asked.step = name, start, end, step
	if _, ok := e.Status(name); !ok {
		return engine.History{}, engine.ErrUnknownObjective
	}
	return engine.History{StepSeconds: int64(step / time.Second), Points: []engine.Point{
		{Time: noon, Total: 10, Bad: 1, ErrorRatio: ptr(0.1), BudgetRemainingRatio: ptr(0.5), BurnRates: map[string]*float64{"5m": ptr(100.0), "1h": nil}},
		{Time: noon.Add(step), BurnRates: map[string]*float64{}},
	}}, e.err
}

func (e *fakeEngine) Alerts() (engine.Alerts, error) {
	a := engine.Alert{
		ID: "1", Objective: "o", Service: "s", State: alert.Firing, Severity: slo.Page, StartsAt: noon, UpdatedAt: noon,
		Summary: "burns", Labels: map[string]string{"team": "shop"}, Annotations: map[string]string{},
	}
	over := a
	over.State, over.EndsAt = alert.Resolved, &noon
	return engine.Alerts{Alerts: []engine.Alert{a, over}}, e.err
}

func (e *fakeEngine) Deliveries() (engine.Deliveries, error) {
	d := engine.Delivery{ID: "1", IdempotencyKey: "k", Receiver: "oncall", Objective: "o", Transition: alert.Fired,
		State: notify.Pending, CreatedAt: noon, NextAttemptAt: &noon, LastError: "refused"}
	done := d
	done.State, done.NextAttemptAt, done.DeliveredAt, done.Transition = notify.Delivered, nil, &noon, alert.Escalated
	dead := d
	dead.State, dead.NextAttemptAt, dead.Transition = notify.Dead, nil, alert.Ended
	return engine.Deliveries{Deliveries: []engine.Delivery{d, done, dead}}, e.err
}

// fakeStore holds the trace of exampleTrace.
type fakeStore struct {
	traces   map[pcommon.TraceID]ptrace.Traces
	services map[string][]string
	err      error
	asked    tracestore.Query
	has      []pcommon.TraceID
}

func newFakeStore() *fakeStore {
	return &fakeStore{
		traces:   map[pcommon.TraceID]ptrace.Traces{exampleID: exampleTrace()},
		services: map[string][]string{"checkout": {"POST /checkout", "pay"}, "a/b & 50%25": {"op"}, "quiet": nil},
	}
}

func (s *fakeStore) Search(_ context.Context, q tracestore.Query) (tracestore.Result, error) {
	s.asked = q
	if s.err != nil || q.Service == "nobody" {
		return tracestore.Result{}, s.err
	}
	return tracestore.Result{Traces: []tracestore.Summary{exampleSummary()}, NextCursor: "next"}, nil
}

func (s *fakeStore) Trace(_ context.Context, id pcommon.TraceID) (td ptrace.Traces, _ tracestore.Meta, _ bool, _ error) {
	td, ok := s.traces[id]
	if !ok || s.err != nil {
		return ptrace.Traces{}, tracestore.Meta{}, false, s.err // the zero value, of which nothing may be asked
	}
	return td, tracestore.Meta{Summary: exampleSummary(), Version: 2, LateSpans: 1}, true, nil
}

func (s *fakeStore) Has(_ context.Context, ids []pcommon.TraceID) (map[pcommon.TraceID]bool, error) {
	s.has = ids
	return map[pcommon.TraceID]bool{keptID: true}, s.err
}

func (s *fakeStore) Services(context.Context) (map[string][]string, error) { return s.services, s.err }

// fakeSampler fails with err, where there is one.
type fakeSampler struct {
	err      error
	noShadow bool
}

func (*fakeSampler) Status() tailsampling.Status {
	return tailsampling.Status{
		TracesPending: 1, OldestUndecidedSeconds: 2.5, Storage: "disk", Decided: tailsampling.Decided{Sampled: 3},
		Policies: []tailsampling.PolicyStatus{{Name: "errors", Type: "status_code", SampledTraces: 3}},
	}
}

func (*fakeSampler) Cost() tailsampling.Cost {
	one := tailsampling.Amount{Traces: 1, Spans: 2, Bytes: 300}
	return tailsampling.Cost{
		Policies: []tailsampling.PolicyCost{{Name: "errors", Type: "status_code", Sampled: one, Matched: one, Alone: one}},
		Services: []tailsampling.ServiceCost{{Service: "checkout", SpansIn: 10, BytesIn: 5000, SpansKept: 2, BytesKept: 300}},
	}
}

func (s *fakeSampler) Policies() tailsampling.Policies {
	list := []tailsampling.PolicyInfo{{Name: "errors", Type: "status_code"}}
	return tailsampling.Policies{
		Version: 3, Since: noon, Policies: list, Shadow: list, NeedsRestart: []string{"memory_budget"},
		LastError: &tailsampling.ReloadError{At: noon, Detail: "policies[0]: name is required"},
	}
}

func (s *fakeSampler) Reload(context.Context) (tailsampling.Policies, error) {
	return s.Policies(), s.err
}

func (s *fakeSampler) Promote() (tailsampling.Policies, error) { return s.Policies(), s.err }

func (s *fakeSampler) Shadow() (tailsampling.ShadowStatus, bool) {
	one := tailsampling.Amount{Traces: 1, Spans: 2, Bytes: 300}
	return tailsampling.ShadowStatus{
		PolicyVersion: 3, Since: noon, Sampled: one, OnlyReal: one,
		Policies:    []tailsampling.ShadowPolicyStatus{{Name: "errors", Type: "status_code", Sampled: one}},
		Differences: []tailsampling.Difference{{TraceID: exampleHex, DecidedAt: noon, Shadow: "not_sampled", Real: "sampled"}},
	}, !s.noShadow
}

var pendingID, fadedID, earlyID = pcommon.TraceID{1}, pcommon.TraceID{2}, pcommon.TraceID{3}

func (*fakeSampler) Explain(id [16]byte) (tailsampling.Explanation, bool) {
	complete := &tailsampling.Completeness{RootSeen: true, Spans: 3, Bytes: 900, DurationSeconds: 0.25}
	switch pcommon.TraceID(id) {
	case pendingID:
		return tailsampling.Explanation{TraceID: pendingID.String(), State: tailsampling.StatePending, FirstSpanAt: &noon, Complete: complete}, true
	case earlyID:
		return tailsampling.Explanation{State: tailsampling.StateReading}, true
	case fadedID:
		return tailsampling.Explanation{TraceID: fadedID.String(), State: tailsampling.StateFaded, Verdict: "dropped", Policy: "noise", DecidedAt: &noon}, true
	case keptID:
		return tailsampling.Explanation{
			TraceID: keptID.String(), State: tailsampling.StateDecided, Verdict: "sampled", Policy: "limit", CompositePolicy: "errors", PolicyVersion: 3,
			FirstSpanAt: &noon, DecidedAt: &noon, Trigger: "decision_wait", Reason: "decision_wait was over", Complete: complete,
			Threshold: "00000000000000", Randomness: "0123456789abcd", AdjustedCount: 1,
			Votes:  []tailsampling.PolicyVote{{Name: "limit", Type: "composite", Matched: true, Acted: true}},
			Shadow: &tailsampling.ShadowVerdict{Verdict: "sampled", Policy: "errors"},
		}, true
	}
	return tailsampling.Explanation{}, false
}

// fakePrometheus answers with what it was asked.
type fakePrometheus struct{ nothing }

func (*fakePrometheus) PrometheusAPI() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"status":"success","data":"` + r.Method + " " + r.URL.Path + `"}`))
	})
}

func healthy(message string) *probing {
	return &probing{health: host.Health{OK: true, Blocking: true, Message: message}}
}

// hangs is how long one that hangs does.
const hangs = time.Hour

// probing is a component with a health; one with a wait answers when that is over, one that hangs an hour
// later, for synctest.
type probing struct {
	nothing
	health host.Health
	wait   <-chan struct{}
	hangs  bool
	panics bool
}

func (p *probing) Probe(context.Context) host.Health {
	if p.panics {
		panic("no health")
	}
	if p.wait != nil {
		<-p.wait
	}
	if p.hangs {
		time.Sleep(hangs)
	}
	return p.health
}
