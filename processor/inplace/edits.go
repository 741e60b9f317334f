package inplace

import (
	"context"
	"fmt"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/attributesprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/resourceprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/edit"
	"github.com/slowburn/slowburn/processor/policy/spanmatch"
)

// edits is what a processor does to requests. It may be used concurrently.
type edits struct {
	edit       edit.Edit             // but for what is dropped
	conditions *spanmatch.Conditions // spans for which one holds are dropped; nil for none
	filtered   metric.Int64Counter   // contrib's, of dropped spans; nil for none
	labels     []metric.AddOption
}

// editsOf returns what a processor with the configuration does on bytes, or the reason why it does nothing there.
func editsOf(cfg component.Config, logger *zap.Logger) (*edits, string) {
	switch c := cfg.(type) {
	case *attributesprocessor.Config:
		if c.MatchConfig.Include != nil || c.MatchConfig.Exclude != nil {
			return nil, "include and exclude are answered on decoded spans"
		}
		actions, reason := literal(c, "actions")
		if reason != "" {
			return nil, reason
		}
		return &edits{edit: edit.Edit{Spans: actions}}, ""
	case *resourceprocessor.Config:
		as := &attributesprocessor.Config{}
		as.Settings.Actions = c.AttributesActions
		actions, reason := literal(as, "attributes")
		if reason != "" {
			return nil, reason
		}
		return &edits{edit: edit.Edit{Resources: actions}}, ""
	case *filterprocessor.Config:
		return filter(c, logger)
	}
	return nil, "it is another component"
}

// literal returns the actions of the list with the key, or the reason why they are not done on bytes.
func literal(c *attributesprocessor.Config, key string) (*edit.Actions, string) {
	if len(c.Settings.Actions) == 0 {
		return nil, key + " is empty"
	}
	var list []edit.Action
	for i := range c.Settings.Actions {
		a := &c.Settings.Actions[i]
		at := fmt.Sprintf("%s[%d]", key, i)
		action := edit.Action{Key: a.Key, Value: pcommon.NewValueEmpty()}
		switch name := strings.ToLower(string(a.Action)); name {
		case "insert":
			action.Kind = edit.Insert
		case "update":
			action.Kind = edit.Update
		case "upsert":
			action.Kind = edit.Upsert
		case "delete":
			action.Kind = edit.Delete
		default:
			return nil, fmt.Sprintf("%s: action %s is done on decoded spans", at, name)
		}
		value := a.Value
		switch {
		case a.RegexPattern != "":
			return nil, at + ": pattern is matched on decoded spans"
		case a.FromAttribute != "":
			return nil, at + ": from_attribute is read from decoded spans"
		case a.FromContext != "":
			return nil, at + ": from_context is done on decoded spans"
		case value == nil:
			value = a.DefaultValue
		}
		if action.Kind != edit.Delete {
			if err := action.Value.FromRaw(value); err != nil || value == nil {
				return nil, at + ": value is not valid"
			}
		}
		list = append(list, action)
	}
	actions, err := edit.NewActions(list)
	if err != nil {
		return nil, key + ": " + err.Error()
	}
	return actions, ""
}

// filter returns what drops spans by their conditions.
func filter(c *filterprocessor.Config, logger *zap.Logger) (*edits, string) {
	texts, reason := conditionsOf(c)
	if reason != "" {
		return nil, reason
	}
	if strings.EqualFold(string(c.ErrorMode), "silent") {
		logger = nil
	}
	conditions, err := spanmatch.Compile(texts, logger)
	if err != nil {
		return nil, "its conditions are not all on spans and their resources and scopes"
	}
	return &edits{conditions: conditions}, ""
}

// conditionsOf returns the conditions on which spans are dropped, or the reason why they are not answered on bytes.
func conditionsOf(c *filterprocessor.Config) (texts []string, reason string) {
	old, spans := c.Traces, c.Spans //nolint:staticcheck // as users still have them
	switch {
	case spans.Include != nil || spans.Exclude != nil:
		return nil, "spans::include and spans::exclude are answered on decoded spans; trace_conditions need not be"
	case len(old.ResourceConditions) > 0:
		return nil, "traces::resource is answered on decoded spans; trace_conditions need not be"
	case len(old.SpanEventConditions) > 0:
		return nil, "traces::spanevent is answered on decoded spans"
	}
	if reason := passes(string(c.ErrorMode)); reason != "" {
		return nil, reason
	}
	for i, section := range c.TraceConditions { // where there are any, contrib does not look at traces
		at := fmt.Sprintf("trace_conditions[%d]", i)
		if section.Context != "" && section.Context != "span" {
			return nil, fmt.Sprintf("%s: context: %s is answered on decoded spans", at, section.Context)
		}
		if section.ErrorMode != "" {
			if reason := passes(string(section.ErrorMode)); reason != "" {
				return nil, at + ": " + reason
			}
		}
		texts = append(texts, section.Conditions...)
	}
	if len(c.TraceConditions) == 0 {
		texts = old.SpanConditions
	}
	if len(texts) == 0 {
		return nil, "it has neither trace_conditions nor traces::span"
	}
	return texts, ""
}

// passes returns the reason why a condition that cannot be evaluated would be more than one that does not hold.
func passes(mode string) string {
	switch mode = strings.ToLower(mode); mode {
	case "ignore", "silent":
		return ""
	default:
		return "error_mode: " + mode + " is answered on decoded spans; ignore need not be"
	}
}

// count makes the counter of dropped spans: contrib's, so that there is one, whatever way spans come.
func (e *edits) count(set processor.Settings) (err error) {
	if e.conditions == nil {
		return nil
	}
	const scope = "github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"
	e.filtered, err = set.MeterProvider.Meter(scope).Int64Counter("otelcol_processor_filter_spans.filtered",
		metric.WithDescription("Number of spans dropped by the filter processor [Development]"), metric.WithUnit("1"))
	e.labels = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String("filter", set.ID.String())))}
	return err
}

// dropped counts spans that are left out.
func (e *edits) dropped(ctx context.Context, spans int) {
	if e.filtered != nil {
		e.filtered.Add(ctx, int64(spans), e.labels...)
	}
}

// of returns what is done to a request. It is for one request, and one goroutine.
func (e *edits) of(r *wire.Request) edit.Edit {
	own := e.edit
	if e.conditions == nil {
		return own
	}
	resource, drops := int32(-1), false // of the span before
	own.Drop = func(r *wire.Request, span int) bool {
		if at := r.Spans[span].Resource; at != resource {
			resource, drops = at, e.conditions.OfResource(r.Resources[at].Body.Of(r.Bytes))
		}
		return drops || e.conditions.OfSpan(r, span)
	}
	return own
}
