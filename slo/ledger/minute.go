package ledger

import "time"

// Minute is a minute since the Unix epoch. Like a PromQL range it excludes its start and includes its end: a sample at 12:01:00
// belongs to the minute from 12:00 to 12:01.
type Minute int64

const minutesPerHour = 60

// MinuteOf returns the minute that contains t.
func MinuteOf(t time.Time) Minute {
	ns := t.UnixNano() - 1
	m := ns / int64(time.Minute)
	if ns < 0 {
		m--
	}
	return Minute(m)
}

// Elapsed returns the first minute that has not ended at t.
func Elapsed(t time.Time) Minute { return MinuteOf(t.Add(time.Nanosecond)) }

// Minutes converts a window to minutes, rounded down.
func Minutes(window time.Duration) Minute { return Minute(window / time.Minute) }

// Start returns when the minute begins.
func (m Minute) Start() time.Time { return time.Unix(int64(m)*60, 0).UTC() }

// End returns when the minute ends.
func (m Minute) End() time.Time { return (m + 1).Start() }

func (m Minute) hour() uint32 { return uint32(m / minutesPerHour) }

func (m Minute) ofHour() int { return int(m % minutesPerHour) }

func firstOf(hour uint32) Minute { return Minute(hour) * minutesPerHour }
