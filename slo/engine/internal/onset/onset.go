// Package onset finds the minute in which a burn began, so that what is said of it does not mix it with an earlier one.
package onset

import "github.com/slowburn/slowburn/slo"

// Share is the part of a tier's factor at which its burn is said to last: by a short lull no second burn begins.
const Share = 0.25

// Find returns the index of the minute in which the burn began that lasts until the last minute, and false if none does. A burn lasts while
// each window of so many minutes has at least the given error ratio, or no events: silence is no recovery. It begins with the first minute
// of its first window that has that ratio itself.
func Find(minutes []slo.Events, window int, ratio float64) (int, bool) {
	window = min(max(window, 1), len(minutes))
	var sum slo.Events
	for _, e := range minutes[len(minutes)-window:] {
		sum = sum.Add(e)
	}
	first, burns := 0, false // first is the start of the earliest window that burns
	for at := len(minutes) - window; at >= 0; at-- {
		if at < len(minutes)-window {
			last := minutes[at+window]
			sum = sum.Add(minutes[at])
			sum = slo.Events{Total: sum.Total - last.Total, Bad: sum.Bad - last.Bad}
		}
		if e, ok := sum.ErrorRatio(); ok && e < ratio {
			break
		} else if ok {
			first, burns = at, true
		}
	}
	if !burns {
		return 0, false
	}
	for i := first; i < first+window; i++ {
		if e, ok := minutes[i].ErrorRatio(); ok && e >= ratio {
			return i, true
		}
	}
	return first, true
}
