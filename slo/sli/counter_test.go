package sli

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestCountAllocatesNothing: of what it has seen before.
func TestCountAllocatesNothing(t *testing.T) {
	requests, _ := benchRequests(t, "ot=th:c")
	c := newCounter(createDefaultConfig().(*Config).Limits, benchObjectives(4, map[string]string{
		"http.route": "/api/v1/resource", "deployment.environment.name": "prod"}))
	count := func() {
		for _, r := range requests {
			c.count(r)
		}
	}
	count()
	assert.Zero(t, testing.AllocsPerRun(10, count))
}
