package clock

import "time"

// Deadline returns the time after d, for the deadline of a socket. Sockets go by the machine's clock, also in a process with a test clock.
func Deadline(d time.Duration) time.Time { return time.Now().Add(d) }
