package tailsampling

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy"
)

func TestCostByPolicyAndService(t *testing.T) { withEitherStorage(t, testCostByPolicyAndService) }

func testCostByPolicyAndService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := with(testConfig(), testConfig().Policies[0], serviceIs("three", "service-3"),
			policy.Config{Name: "noise", Type: policy.Drop, Section: &policy.DropConfig{SubPolicies: []policy.Config{
				{Type: policy.Latency, Section: &policy.LatencyConfig{ThresholdMs: ptr(int64(1000))}}}}})
		var next sink
		p := start(t, cfg, &next)
		send := func(spans ...spanOf) { require.NoError(t, wireDoor(t, p, request(spans...))) }
		send(newTrace(1, 2, true)...)  // errors
		send(newTrace(2, 4, true)...)  // both
		send(newTrace(3, 4, false)...) // three
		send(newTrace(4, 1, false)...) // none
		slow := newTrace(5, 4, true)
		slow[3].span().SetEndTimestamp(slow[3].span().EndTimestamp() + 2e9)
		send(slow...)
		time.Sleep(cfg.DecisionWait + time.Second)
		send(newTrace(2, 5, false)[4]) // late

		time.Sleep(time.Second)
		got := p.Cost()
		amounts := func(a Amount) [2]int64 { return [2]int64{a.Traces, a.Spans} }
		type row struct{ sampled, dropped, matched, alone [2]int64 }
		rows := map[string]row{}
		for _, one := range got.Policies {
			rows[one.Name] = row{amounts(one.Sampled), amounts(one.Dropped), amounts(one.Matched), amounts(one.Alone)}
		}
		// A sampling policy is not charged for a trace that is dropped.
		assert.Equal(t, map[string]row{
			"errors": {sampled: [2]int64{2, 6}, matched: [2]int64{2, 6}, alone: [2]int64{1, 2}},
			"three":  {sampled: [2]int64{1, 4}, matched: [2]int64{2, 8}, alone: [2]int64{1, 4}},
			"noise":  {dropped: [2]int64{1, 4}, matched: [2]int64{1, 4}},
		}, rows)
		services := map[string][2]int64{}
		for _, one := range got.Services {
			services[one.Service] = [2]int64{one.SpansIn, one.SpansKept}
			assert.Greater(t, one.BytesIn, one.BytesKept)
		}
		assert.Equal(t, map[string][2]int64{
			"service-0": {6, 4}, "service-1": {4, 3}, "service-2": {3, 2}, "service-3": {3, 2},
		}, services)
		shutdown(t, p)
	})
}
