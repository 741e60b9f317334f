package judge

import (
	"strconv"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo/match"
)

// facts are the attributes of a span that hold a status code or a type of error, found in one walk.
type facts struct {
	walked bool
	// values has the best value of each fact, ranks the index of its spelling plus one, 0 for none.
	values [match.NumFacts]wire.Value
	ranks  [match.NumFacts]uint8
	number [20]byte
}

// learn walks the span's attributes, unless that was done. A value that cannot be read as the fact is passed over.
func (j *Judge) learn() *facts {
	f := &j.facts
	if f.walked {
		return f
	}
	f.walked, f.ranks = true, [match.NumFacts]uint8{}
	walk := wire.WalkAttributes(j.span.Body)
	for {
		key, ok := walk.Next()
		if !ok {
			return f
		}
		i := match.SpellingOf(key)
		if i < 0 {
			continue
		}
		fact, rank := match.Spellings[i].Fact, uint8(i+1)
		if f.ranks[fact] != 0 && f.ranks[fact] <= rank {
			continue
		}
		if v := walk.Value(); says(fact, v) {
			f.values[fact], f.ranks[fact] = v, rank
		}
	}
}

// says reports whether a value can be read as a fact.
func says(fact match.Fact, v wire.Value) bool {
	if fact == match.HTTPCode {
		return httpCode(v) != 0
	}
	return v.Kind() == wire.Int || v.Kind() == wire.String && len(v.Bytes()) > 0
}

func httpCode(v wire.Value) int {
	if v.Kind() == wire.String {
		return match.HTTPText(v.Bytes())
	}
	return match.HTTPNumber(v.Int())
}

// HTTP returns the HTTP status code of the span, 0 without one.
func (j *Judge) HTTP() int {
	f := j.learn()
	if f.ranks[match.HTTPCode] == 0 {
		return 0
	}
	return httpCode(f.values[match.HTTPCode])
}

// RPC returns the RPC status code of the span by its name, nil without one. It is valid until the next span.
func (j *Judge) RPC() []byte {
	f := j.learn()
	rank := f.ranks[match.RPCCode]
	if rank == 0 {
		return nil
	}
	v, own := f.values[match.RPCCode], match.Spellings[rank-1].Own
	switch {
	case v.Kind() == wire.String && own:
		return v.Bytes()
	case v.Kind() == wire.String:
		return match.RPCText(v.Bytes())
	case own:
		return strconv.AppendInt(f.number[:0], v.Int(), 10)
	default:
		return match.RPCNumber(v.Int(), f.number[:])
	}
}

// errorText returns the span's error.type, nil without one.
func (j *Judge) errorText() []byte {
	f := j.learn()
	if f.ranks[match.ErrorType] == 0 {
		return nil
	}
	return j.text(f.values[match.ErrorType])
}

// maxReason is the longest reason in bytes: an error.type that is longer is a message rather than a type.
const maxReason = 64

// Reason returns why the span failed, nil if it does not say: the class of its error, or else its status code. A reason that is no
// part of the span is valid until the next one.
func (j *Judge) Reason() []byte {
	if text := j.errorText(); len(text) > 0 && len(text) <= maxReason {
		return text
	}
	if code := j.HTTP(); code != 0 {
		return strconv.AppendInt(j.scratch[:0], int64(code), 10)
	}
	if code := j.RPC(); len(code) > 0 && len(code) <= maxReason {
		return code
	}
	return nil
}

// ReasonOf returns why a span that meets a condition is bad, nil if it does not say.
func (j *Judge) ReasonOf(cause Cause) []byte {
	switch cause {
	case CauseHTTP:
		if code := j.HTTP(); code != 0 {
			return strconv.AppendInt(j.scratch[:0], int64(code), 10)
		}
	case CauseRPC:
		if code := j.RPC(); len(code) > 0 && len(code) <= maxReason {
			return code
		}
	}
	return j.Reason()
}

// text returns a value as text, valid until the next call.
func (j *Judge) text(v wire.Value) []byte {
	switch v.Kind() {
	case wire.String:
		return v.Bytes()
	case wire.Int:
		return strconv.AppendInt(j.scratch[:0], v.Int(), 10)
	case wire.Bool:
		return strconv.AppendBool(j.scratch[:0], v.Bool())
	default:
		return []byte(v.AsString())
	}
}
