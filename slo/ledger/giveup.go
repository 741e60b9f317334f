package ledger

import (
	"encoding/binary"
	"fmt"

	"github.com/slowburn/slowburn/internal/state"
)

// GiveUp prunes the oldest hours before that of horizon until that has freed so many bytes. It returns the bytes that it freed.
func (l *Ledger) GiveUp(bytes int64, horizon Minute) (freed int64, err error) {
	var hour uint32
	c := l.minutes.Cursor()
	for k, v := c.First(); k != nil && freed < bytes; k, v = c.Next() {
		if len(k) < 4 {
			return 0, fmt.Errorf("%w: the chunk %x has no hour", state.ErrCorrupt, k)
		}
		at := binary.BigEndian.Uint32(k)
		if at >= horizon.hour() {
			break
		}
		hour = at + 1
		freed += int64(len(k) + len(v))
	}
	if freed == 0 {
		return 0, nil
	}
	return freed, l.Prune(firstOf(hour))
}
