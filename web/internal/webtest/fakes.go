package webtest

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/otlp"
	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/ledger/parts"
	"github.com/slowburn/slowburn/slo/notify"
)

var (
	_ engine.Reader     = (*Engine)(nil)
	_ tracestore.Reader = (*Store)(nil)
	_ host.Prober       = (*Prober)(nil)
)

// Noon is the time of everything in the fakes.
var Noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// Engine has an objective with every value set, and one without events.
type Engine struct {
	Component
	List  engine.Statuses
	Err   error
	Asked struct {
		Name       string
		Start, End time.Time
		Step       time.Duration
		By         []parts.Dimension
	}
}

// NewEngine returns an Engine with its two objectives.
func NewEngine() *Engine {
	rate := ptr(14.5)
	full := engine.Status{
		Definition: engine.Definition{
			Name: "checkout/availability (v2)", Description: "d", Service: "checkout", Labels: map[string]string{"team": "shop"},
			Indicator: engine.Indicator{Type: slo.Latency, Unit: slo.UnitEvents, UnitParts: 1, Service: "checkout", Kind: "server", Operations: []string{"POST /checkout"},
				Attributes: map[string]string{"http.route": "/checkout"}, ThresholdMS: 300},
			Target: 0.999, Window: "30d", WindowSeconds: 2592000,
		},
		EvaluatedUntil: &Noon, CountedSince: &Noon, State: engine.StateOK,
		Events: engine.Events{Total: 1000, Bad: 2}, ErrorRatio: ptr(0.002),
		Budget: engine.Budget{RemainingRatio: -1, RemainingPercent: -100, AllowedEvents: 1, RemainingEvents: -1, TotalMinutes: 43.2, RemainingMinutes: -43.2, Policy: slo.Exhausted,
			RemainingRatioLow: -1.5, ExpectedEvents: 1000, Young: true, ExhaustedAt: &Noon},
		BurnRates: []engine.BurnRate{{Window: "5m", WindowSeconds: 300, Total: 10, Bad: 1, ErrorRatio: ptr(0.1), BurnRate: rate, BurnRateHigh: ptr(20.0),
			CoveredSeconds: 240, CoveredRatio: 0.8}},
		Tiers: []engine.Tier{{Severity: slo.Page, LongWindow: "1h", ShortWindow: "5m", Factor: 14.4, BudgetPercent: 2,
			LongBurnRate: rate, ShortBurnRate: rate, Active: true, Reachable: true, ExhaustionSeconds: ptr(3600.0), ExhaustedAt: &Noon, AwaitsCoverage: true}},
		Alert: engine.AlertState{State: alert.Firing, Severity: slo.Page, Since: &Noon, Summary: "burns"},
		Coverage: engine.Coverage{SeenSeconds: 7200, CoveredSeconds: 3600, CoveredRatio: 0.001, Young: true, LostSpans: 3,
			Gaps: []engine.Gap{{From: Noon, To: Noon.Add(time.Hour), Reason: "gateway_down"}}, GapsTotal: 1},
	}
	empty := engine.Status{
		Definition: engine.Definition{Name: "quiet", Labels: map[string]string{}, Window: "7d", WindowSeconds: 604800,
			Indicator: engine.Indicator{Type: slo.PromQL, Unit: slo.UnitEvents, UnitParts: 1, Operations: []string{}, Attributes: map[string]string{}}},
		State:  engine.StateNoData,
		Budget: engine.Budget{Policy: slo.Normal}, BurnRates: []engine.BurnRate{{Window: "5m", WindowSeconds: 300}},
		Tiers: []engine.Tier{{Severity: slo.Ticket}}, Alert: engine.AlertState{State: alert.Inactive},
	}
	return &Engine{List: engine.Statuses{EvaluatedUntil: &Noon, NextEvaluation: &Noon, Objectives: []engine.Status{full, empty}}}
}

// Objectives implements engine.Reader.
func (e *Engine) Objectives() []slo.Objective { return nil }

// Statuses implements engine.Reader.
func (e *Engine) Statuses() engine.Statuses { return e.List }

// Status implements engine.Reader.
func (e *Engine) Status(name string) (engine.Status, bool) {
	i := slices.IndexFunc(e.List.Objectives, func(s engine.Status) bool { return s.Name == name })
	if i < 0 {
		return engine.Status{}, false
	}
	return e.List.Objectives[i], true
}

// History implements engine.Reader.
func (e *Engine) History(name string, start, end time.Time, step time.Duration) (engine.History, error) {
	e.Asked.Name, e.Asked.Start, e.Asked.End, e.Asked.Step = name, start, end, step
	if _, ok := e.Status(name); !ok {
		return engine.History{}, engine.ErrUnknownObjective
	}
	return engine.History{StepSeconds: int64(step / time.Second), Points: []engine.Point{
		{Time: Noon, Total: 10, Bad: 1, ErrorRatio: ptr(0.1), BudgetRemainingRatio: ptr(0.5), BurnRates: map[string]*float64{"5m": ptr(100.0), "1h": nil}},
		{Time: Noon.Add(step), BurnRates: map[string]*float64{}},
	}}, e.Err
}

// Breakdown implements engine.Reader.
func (e *Engine) Breakdown(name string, start, end time.Time, by []parts.Dimension) (engine.Breakdown, error) {
	e.Asked.Name, e.Asked.Start, e.Asked.End, e.Asked.By = name, start, end, by
	if _, ok := e.Status(name); !ok {
		return engine.Breakdown{}, engine.ErrUnknownObjective
	}
	noon := ledger.Elapsed(Noon)
	return engine.Breakdown{By: by, Basis: engine.BasisAlert, Breakdown: parts.Breakdown{
		From: noon - 60, To: noon, Events: slo.Events{Total: 100, Bad: 10}, Uncovered: slo.Events{Total: 1},
		Rows: []parts.Row{{Part: parts.Part{Service: "checkout", Operation: "POST /checkout", Version: "1.9.1", Reason: "500"},
			Events: slo.Events{Total: 99, Bad: 10}}, {}},
	}}, e.Err
}

// Alerts implements engine.Reader.
func (e *Engine) Alerts() (engine.Alerts, error) {
	a := engine.Alert{
		ID: "1", Objective: "o", Service: "s", State: alert.Firing, Severity: slo.Page, StartsAt: Noon, UpdatedAt: Noon,
		Summary: "burns", Labels: map[string]string{"team": "shop"}, Annotations: map[string]string{},
	}
	over := a
	over.State, over.EndsAt = alert.Resolved, &Noon
	return engine.Alerts{Alerts: []engine.Alert{a, over}}, e.Err
}

// Deliveries implements engine.Reader.
func (e *Engine) Deliveries() (engine.Deliveries, error) {
	d := engine.Delivery{ID: "1", IdempotencyKey: "k", Receiver: "oncall", Objective: "o", Transition: alert.Fired,
		State: notify.Pending, CreatedAt: Noon, NextAttemptAt: &Noon, LastError: "refused"}
	done := d
	done.State, done.NextAttemptAt, done.DeliveredAt, done.Transition = notify.Delivered, nil, &Noon, alert.Escalated
	dead := d
	dead.State, dead.NextAttemptAt, dead.Transition = notify.Dead, nil, alert.Ended
	return engine.Deliveries{Deliveries: []engine.Delivery{d, done, dead}}, e.Err
}

// Store holds the trace of ExampleTrace.
type Store struct {
	Traces map[pcommon.TraceID]ptrace.Traces
	Names  map[string][]string
	Err    error
	Asked  tracestore.Query
	Linked []pcommon.TraceID // the argument of the last Has
}

// NewStore returns a Store with its trace.
func NewStore() *Store {
	return &Store{
		Traces: map[pcommon.TraceID]ptrace.Traces{ExampleID: ExampleTrace()},
		Names:  map[string][]string{"checkout": {"POST /checkout", "pay"}, "a/b & 50%25": {"op"}, "quiet": nil},
	}
}

// Search implements tracestore.Reader.
func (s *Store) Search(_ context.Context, q tracestore.Query) (tracestore.Result, error) {
	s.Asked = q
	if s.Err != nil || q.Service == "nobody" {
		return tracestore.Result{}, s.Err
	}
	return tracestore.Result{Traces: []tracestore.Summary{ExampleSummary()}, NextCursor: "next"}, nil
}

// Trace implements tracestore.Reader.
func (s *Store) Trace(_ context.Context, id pcommon.TraceID) (spans []byte, _ tracestore.Meta, _ bool, _ error) {
	td, ok := s.Traces[id]
	if !ok || s.Err != nil {
		return nil, tracestore.Meta{}, false, s.Err
	}
	spans, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		return nil, tracestore.Meta{}, false, err
	}
	return spans, tracestore.Meta{Summary: ExampleSummary(), Version: 2, LateSpans: 1}, true, nil
}

// Size implements tracestore.Reader.
func (s *Store) Size(ctx context.Context, id pcommon.TraceID) (size tracestore.Size, here bool, err error) {
	spans, _, here, err := s.Trace(ctx, id)
	return tracestore.Size{Bytes: len(spans), Spans: wire.Count(spans).Spans}, here, err
}

// Has implements tracestore.Reader.
func (s *Store) Has(_ context.Context, ids []pcommon.TraceID) (map[pcommon.TraceID]bool, error) {
	s.Linked = ids
	return map[pcommon.TraceID]bool{KeptID: true}, s.Err
}

// Services implements tracestore.Reader.
func (s *Store) Services(context.Context) (map[string][]string, error) { return s.Names, s.Err }

// Sampler fails with Err, where there is one.
type Sampler struct {
	Err      error
	NoShadow bool
}

// Status implements tail_sampling's interface.
func (*Sampler) Status() tailsampling.Status {
	return tailsampling.Status{
		TracesPending: 1, OldestUndecidedSeconds: 2.5, Storage: "disk", Decided: tailsampling.Decided{Sampled: 3},
		Policies: []tailsampling.PolicyStatus{{Name: "errors", Type: "status_code", SampledTraces: 3}},
	}
}

// Cost implements tail_sampling's interface.
func (*Sampler) Cost() tailsampling.Cost {
	one := tailsampling.Amount{Traces: 1, Spans: 2, Bytes: 300}
	return tailsampling.Cost{
		Policies: []tailsampling.PolicyCost{
			{Name: "errors", Type: "status_code", Sampled: one, Matched: one, Alone: one},
			{Name: "rest", Type: "probabilistic", Percentage: ptr(1.0), Sampled: one, Matched: one, Alone: one},
		},
		Services: []tailsampling.ServiceCost{{Service: "checkout", SpansIn: 10, BytesIn: 5000, SpansKept: 2, BytesKept: 300}},
	}
}

// Policies implements tail_sampling's interface.
func (s *Sampler) Policies() tailsampling.Policies {
	list := []tailsampling.PolicyInfo{{Name: "errors", Type: "status_code"}}
	return tailsampling.Policies{
		Version: 3, Since: Noon, Policies: list, Shadow: list, NeedsRestart: []string{"memory_budget"},
		LastError: &tailsampling.ReloadError{At: Noon, Detail: "policies[0]: name is required"},
	}
}

// Reload implements tail_sampling's interface.
func (s *Sampler) Reload(context.Context) (tailsampling.Policies, error) {
	return s.Policies(), s.Err
}

// Promote implements tail_sampling's interface.
func (s *Sampler) Promote() (tailsampling.Policies, error) { return s.Policies(), s.Err }

// Shadow implements tail_sampling's interface.
func (s *Sampler) Shadow() (tailsampling.ShadowStatus, bool) {
	one := tailsampling.Amount{Traces: 1, Spans: 2, Bytes: 300}
	return tailsampling.ShadowStatus{
		PolicyVersion: 3, Since: Noon, Sampled: one, OnlyReal: one,
		Policies:    []tailsampling.ShadowPolicyStatus{{Name: "errors", Type: "status_code", Sampled: one}},
		Differences: []tailsampling.Difference{{TraceID: ExampleHex, DecidedAt: Noon, Shadow: "not_sampled", Real: "sampled"}},
	}, !s.NoShadow
}

// Destinations implements tail_sampling's interface: one that has delivered, one that refuses the gateway.
func (*Sampler) Destinations() tailsampling.Destinations {
	backend := tailsampling.Destination{
		Destination: "otlp_grpc/backend", Pipeline: "traces", Bytes: true, Exporters: []string{"otlp_grpc/backend"},
		ShareBytes: 1 << 29, LastAnswer: &tailsampling.LastAnswer{At: Noon, Class: "accepted", Code: "OK"},
	}
	backend.State = "delivering"
	backend.DeliveredTraces, backend.DeliveredSpans, backend.RefusedTraces = 7, 70, 1
	backend.RejectedSpans, backend.RejectedWhy = 1, "too old"
	foreign := tailsampling.Destination{
		Destination: "traces", Pipeline: "traces", Exporters: []string{"debug", "kafka"}, ShareBytes: 1 << 29,
		Backlog:    tailsampling.Backlog{Traces: 3, Spans: 30, Bytes: 9000, Seconds: 12.5},
		LastAnswer: &tailsampling.LastAnswer{At: Noon, Class: "gateway", Code: "401", Text: "token expired"},
	}
	foreign.State, foreign.RetryAt, foreign.RefusesSince = "refuses_gateway", &Noon, &Noon
	foreign.Retries, foreign.ApartTraces, foreign.UndeliveredTraces, foreign.UndeliveredSpans = 4, 1, 2, 5
	return tailsampling.Destinations{
		Destinations: []tailsampling.Destination{backend, foreign},
		Refused: []tailsampling.RefusedTrace{{
			TraceID: ExampleHex, Destination: "otlp_grpc/backend", Pipeline: "traces", Spans: 3, Bytes: 900, At: Noon,
			Code: "INVALID_ARGUMENT", Text: "span 2: negative duration",
		}},
		RefusedTotal: 1, BudgetBytes: 1 << 30, UsedBytes: 9900, WhenFull: "give_up",
	}
}

// StartDrain implements tail_sampling's interface: it is not done.
func (s *Sampler) StartDrain() tailsampling.DrainState {
	state := s.StopDrain()
	state.Draining, state.Since = true, &Noon
	return state
}

// StopDrain implements tail_sampling's interface.
func (*Sampler) StopDrain() tailsampling.DrainState {
	return tailsampling.DrainState{UndecidedTraces: 1, UndeliveredTraces: 3, Destinations: []tailsampling.Undelivered{{
		Destination: "traces", Pipeline: "traces", Traces: 2, Spans: 30, RefusedTraces: 1, State: "refuses_gateway",
		LastAnswer: &tailsampling.LastAnswer{At: Noon, Class: "gateway", Code: "401", Text: "token expired"},
	}}}
}

// RetryRefused implements tail_sampling's interface: the trace that Destinations lists was refused.
func (*Sampler) RetryRefused(id *[16]byte, destination string) int {
	if (id == nil || pcommon.TraceID(*id) == ExampleID) && (destination == "" || destination == "otlp_grpc/backend") {
		return 1
	}
	return 0
}

// IDs of traces of which Sampler knows more or less.
var (
	PendingID = pcommon.TraceID{1}
	FadedID   = pcommon.TraceID{2}
	EarlyID   = pcommon.TraceID{3}
)

// Explain implements tail_sampling's interface.
func (*Sampler) Explain(id [16]byte) (tailsampling.Explanation, bool) {
	complete := &tailsampling.Completeness{RootSeen: true, Spans: 3, Bytes: 900, DurationSeconds: 0.25}
	switch pcommon.TraceID(id) {
	case PendingID:
		return tailsampling.Explanation{TraceID: PendingID.String(), State: tailsampling.StatePending, FirstSpanAt: &Noon, Complete: complete}, true
	case EarlyID:
		return tailsampling.Explanation{State: tailsampling.StateReading}, true
	case FadedID:
		return tailsampling.Explanation{TraceID: FadedID.String(), State: tailsampling.StateFaded, Verdict: "dropped", Policy: "noise", DecidedAt: &Noon}, true
	case KeptID:
		return tailsampling.Explanation{
			TraceID: KeptID.String(), State: tailsampling.StateDecided, Verdict: "sampled", Policy: "limit", CompositePolicy: "errors", PolicyVersion: 3,
			FirstSpanAt: &Noon, DecidedAt: &Noon, Trigger: "decision_wait", Reason: "decision_wait was over", Complete: complete,
			Weight: tailsampling.Weight{Threshold: "00000000000000", Randomness: "0123456789abcd", AdjustedCount: 1},
			Votes:  []tailsampling.PolicyVote{{Name: "limit", Type: "composite", Matched: true, Acted: true}},
			Shadow: &tailsampling.ShadowVerdict{Verdict: "sampled", Policy: "errors"},
		}, true
	}
	return tailsampling.Explanation{}, false
}

// Prometheus answers with what it was asked, and about exemplars with Exemplars, where that is set.
type Prometheus struct {
	Component
	Exemplars string
	Status    int // of that answer, 200 if 0
}

// PrometheusAPI implements the tsdb extension's interface.
func (p *Prometheus) PrometheusAPI() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if p.Exemplars != "" && r.URL.Path == "/api/v1/query_exemplars" {
			w.WriteHeader(cmp.Or(p.Status, http.StatusOK))
			_, _ = w.Write([]byte(p.Exemplars))
			return
		}
		_, _ = w.Write([]byte(`{"status":"success","data":"` + r.Method + " " + r.URL.Path + `"}`))
	})
}

// Healthy is a component that is well.
func Healthy(message string) *Prober {
	return &Prober{Health: host.Health{OK: true, Blocking: true, Message: message}}
}

// HangTime is how long one that hangs does.
const HangTime = time.Hour

// Prober is a component with a health; one with a Wait answers when that is over, one that hangs an hour
// later, for synctest.
type Prober struct {
	Component
	Health host.Health
	Wait   <-chan struct{}
	Hangs  bool
	Panics bool
}

// Probe implements host.Prober.
func (p *Prober) Probe(context.Context) host.Health {
	if p.Panics {
		panic("no health")
	}
	if p.Wait != nil {
		<-p.Wait
	}
	if p.Hangs {
		<-clock.After(HangTime)
	}
	return p.Health
}

// Receiver is an otlp receiver that listens.
type Receiver struct{ Prober }

// Endpoints is where it listens.
func (*Receiver) Endpoints() []otlp.Endpoint {
	return []otlp.Endpoint{{Protocol: "gRPC", Address: "127.0.0.1:4317"}, {Protocol: "HTTP", Address: "[::]:4318", TLS: true}}
}
