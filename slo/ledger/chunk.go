package ledger

import (
	"encoding/binary"
	"fmt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
)

// chunk is one hour of an account, decoded.
type chunk struct {
	base    slo.Events // all events of the account before the hour
	minutes [minutesPerHour]slo.Events
}

const chunkFormat = 1

// append appends the encoded chunk to b. It leaves out zeros at the end.
func (c *chunk) append(b []byte) []byte {
	b = append(b, chunkFormat)
	b = appendEvents(b, c.base)
	last := minutesPerHour
	for last > 0 && c.minutes[last-1] == (slo.Events{}) {
		last--
	}
	for _, e := range c.minutes[:last] {
		b = appendEvents(b, e)
	}
	return b
}

func appendEvents(b []byte, e slo.Events) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, e.Total), e.Bad)
}

// decode parses what append wrote. It returns state.ErrCorrupt for anything else.
func (c *chunk) decode(b []byte) error {
	*c = chunk{}
	r, err := newChunkReader(b)
	if err != nil {
		return err
	}
	if c.base, err = r.next(); err != nil {
		return err
	}
	for i := 0; len(r) > 0; i++ {
		if i == minutesPerHour {
			return fmt.Errorf("%w: an hour with more than %d minutes", state.ErrCorrupt, minutesPerHour)
		}
		if c.minutes[i], err = r.next(); err != nil {
			return err
		}
	}
	return nil
}

// eventsBefore sums all events of the account before the n-th minute of the encoded chunk. It parses no further than needed.
func eventsBefore(b []byte, n int) (slo.Events, error) {
	r, err := newChunkReader(b)
	if err != nil {
		return slo.Events{}, err
	}
	sum, err := r.next()
	for i := 0; err == nil && i < n && len(r) > 0; i++ {
		var e slo.Events
		e, err = r.next()
		sum = sum.Add(e)
	}
	return sum, err
}

type chunkReader []byte

func newChunkReader(b []byte) (chunkReader, error) {
	if len(b) == 0 || b[0] != chunkFormat {
		return nil, fmt.Errorf("%w: unknown format of a ledger chunk", state.ErrCorrupt)
	}
	return b[1:], nil
}

func (r *chunkReader) next() (e slo.Events, err error) {
	if e.Total, err = r.uvarint(); err == nil {
		e.Bad, err = r.uvarint()
	}
	return e, err
}

func (r *chunkReader) uvarint() (uint64, error) {
	v, n := binary.Uvarint(*r)
	if n <= 0 {
		return 0, fmt.Errorf("%w: a ledger chunk is cut off", state.ErrCorrupt)
	}
	*r = (*r)[n:]
	return v, nil
}
