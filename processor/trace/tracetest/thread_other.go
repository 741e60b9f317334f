//go:build !linux

package tracetest

import (
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

var processStart = clock.Now()

// threadTime returns the time that has passed: there is no better measure here.
func threadTime() time.Duration { return clock.Since(processStart) }
