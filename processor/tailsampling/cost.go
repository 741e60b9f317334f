package tailsampling

import "github.com/slowburn/slowburn/processor/policy"

// amount is how much was decided.
type amount struct{ traces, spans, bytes int64 }

func (a *amount) addTrace(e *entry) {
	a.traces++
	a.spans += int64(e.spans)
	a.bytes += int64(e.bytes)
}

func (a *amount) add(o *amount) {
	a.traces += o.traces
	a.spans += o.spans
	a.bytes += o.bytes
}

// voted counts the policies' votes about a trace: all that it is one for, and the one that alone made it sampled, if that
// was so.
func (s *stats) voted(r *rules, votes []policy.Vote, v policy.Verdict, randomness uint64, e *entry) {
	voters, last := 0, 0
	for i, vote := range votes {
		if !vote.Matched {
			continue
		}
		s.of(r.numbers[i].policy).matched.addTrace(e)
		if !r.drops[i] && vote.Sampled(randomness) {
			voters++
			last = i
		}
	}
	if v == policy.Sampled && voters == 1 {
		s.of(r.numbers[last].policy).alone.addTrace(e)
	}
}
