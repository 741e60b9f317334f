package slo

import "time"

// ClockOff is a process whose clock is behind, by so much that its events count in the minute in which they arrive.
type ClockOff struct {
	Service string
	// Instance is the service.instance.id or host.name of the process, empty if it has neither.
	Instance string
	// Behind is the mean age of those of its latest events that were old.
	Behind time.Duration
	Since  time.Time
}

// Clocks tells of processes whose clocks are off: the connector `sli`.
type Clocks interface {
	// ClocksOff returns the processes whose clocks are off, by service. It may be called concurrently; the result is read-only.
	ClocksOff() []ClockOff
}
