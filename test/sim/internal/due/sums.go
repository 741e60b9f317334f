package due

// count is a number of events in a window.
type count struct{ least, most int }

// counts are the numbers of a window.
type counts struct{ good, bad count }

func (c *counts) most() int  { return c.good.most + c.bad.most }
func (c *counts) least() int { return c.good.least + c.bad.least }

// surely reports whether at least this share of the events is bad, wherever the uncertain ones are.
func (c *counts) surely(rate float64) bool { return atLeast(c.bad.least, c.good.most, rate) }

// perhaps reports whether at least this share of the events may be bad.
func (c *counts) perhaps(rate float64) bool { return atLeast(c.bad.most, c.good.least, rate) }

func atLeast(bad, good int, rate float64) bool {
	return bad+good > 0 && float64(bad) >= rate*float64(bad+good)*(1-rounding)
}

// sums gives the counts of windows.
type sums struct {
	first     Minute // of the lists
	good, bad lists
}

// lists hold, by minute, the number of all events before it: by the first minute of their range, and by the last.
type lists struct {
	from, to []int
	// The same for events that are certain within fewer minutes than the shortest window has: no window lies between the two.
	sureFrom, sureTo []int
}

func newSums(h *History) *sums {
	first, end := h.First, h.End
	for _, e := range h.Events {
		first, end = min(first, e.From), max(end, e.To+1)
	}
	s := &sums{first: first, good: newLists(end - first), bad: newLists(end - first)}
	for _, e := range h.Events {
		s.good.add(e.From-first, e.To-first, e.Good, e.Sure)
		s.bad.add(e.From-first, e.To-first, e.Bad, e.Sure)
	}
	s.good.sum()
	s.bad.sum()
	return s
}

func newLists(minutes Minute) lists {
	n := minutes + 2
	return lists{make([]int, n), make([]int, n), make([]int, n), make([]int, n)}
}

func (l *lists) add(from, to Minute, n int, sure bool) {
	l.from[from+1] += n
	l.to[to+1] += n
	if sure && to-from < narrow {
		l.sureFrom[from+1] += n
		l.sureTo[to+1] += n
	}
}

func (l *lists) sum() {
	for _, list := range [][]int{l.from, l.to, l.sureFrom, l.sureTo} {
		for i := 1; i < len(list); i++ {
			list[i] += list[i-1]
		}
	}
}

// window returns the counts of the minutes from one up to, and not including, another.
func (s *sums) window(from, to Minute) counts {
	a, b := max(from-s.first, 0), max(to-s.first, 0)
	return counts{s.good.window(a, b), s.bad.window(a, b)}
}

func (l *lists) window(a, b Minute) count {
	last := Minute(len(l.from) - 1)
	a, b = min(a, last), min(b, last)
	return count{
		least: max(0, l.sureTo[b]-l.sureFrom[a]),
		most:  l.from[b] - l.to[a],
	}
}
