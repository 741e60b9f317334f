package engine

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/slo/engine/internal/metadata"
)

const (
	oneObjective = "objectives: [{name: a, target: 99, availability: {}}]\n"
	noReceiver   = "no receiver is configured: nobody is told when an objective burns; add one under extensions::slo::receivers"
)

// startedWith starts the extension and returns its warnings and its health messages.
func startedWith(t *testing.T, c *Config) (warnings []string, health host.Health) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.WarnLevel)
		set := extensiontest.NewNopSettings(metadata.Type)
		set.ID = component.NewID(metadata.Type)
		set.Logger = zap.New(core)
		e, err := newExtension(set, c)
		require.NoError(t, err)
		require.NoError(t, e.Start(t.Context(), hostWith(newFakeTSDB())))
		h := e.Probe(t.Context())
		assert.False(t, h.Blocking)
		health = h
		closeIt(t, e)
		for _, entry := range logs.All() {
			warnings = append(warnings, entry.Message)
		}
	})
	return warnings, health
}

func TestSeverityWithoutReceiver(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"no receiver and no objective":     {"", ""},
		"no receiver and no tier":          {"objectives: [{name: a, target: 99, availability: {}, tiers: []}]", ""},
		"a receiver of tickets only":       {oneObjective + desk("ticket"), "nobody is told of a page of objective a: no receiver that it names takes severity page"},
		"a receiver of pages only":         {oneObjective + desk("page"), ""},
		"a receiver of all":                {oneObjective + desk("page, ticket"), ""},
		"tickets only, and who takes them": {ticketsOnly + desk("ticket"), ""},
		"tickets only, and who does not":   {ticketsOnly + desk("page"), "nobody is told of a ticket of objective a: no receiver that it names takes severity ticket"},
		"not the one that is named": {"objectives: [{name: a, target: 99, availability: {}, receivers: [desk]}]\nexternal_url: https://x.example.com\n" +
			`receivers: [{name: desk, webhook: {endpoint: "http://x/"}, severities: [ticket]}, {name: all, webhook: {endpoint: "http://x/"}}]`,
			"nobody is told of a page of objective a: no receiver that it names takes severity page"},
	} {
		t.Run(name, func(t *testing.T) {
			warnings, health := startedWith(t, parse(t, c.yaml))
			assert.Empty(t, health.Advice)
			if c.want == "" {
				assert.True(t, health.OK, health)
				assert.Empty(t, warnings)
				return
			}
			assert.False(t, health.OK)
			assert.Equal(t, c.want, health.Message)
			assert.Equal(t, []string{"alerts reach nobody: " + c.want}, warnings)
		})
	}
}

const ticketsOnly = "objectives: [{name: a, target: 99, availability: {}, tiers: [{severity: ticket, long_window: 1d, short_window: 2h, budget: 10}]}]\n"

// desk configures a receiver of the severities, and the other keys of a valid configuration.
func desk(severities string) string {
	return "external_url: https://x.example.com\nreceivers: [{name: desk, webhook: {endpoint: \"http://x/\"}, severities: [" + severities + "]}]\n"
}

// Without a receiver, as shipped, the set-up is unfinished: this is advice, and no problem.
func TestNoReceiverIsAdvice(t *testing.T) {
	warnings, health := startedWith(t, parse(t, oneObjective))
	assert.Empty(t, warnings)
	assert.True(t, health.OK)
	assert.Equal(t, noReceiver, health.Advice)
}

func TestLinksToLoopbackAreWarnedOf(t *testing.T) {
	c := parse(t, oneObjective+desk("page"))
	c.ExternalURL = ""
	warnings, health := startedWith(t, c)
	assert.True(t, health.OK)
	require.Len(t, warnings, 1)
	assert.Contains(t, warnings[0], "links in notifications lead to this machine's loopback address, http://127.0.0.1:8080: set external_url")
}
