package parts

import (
	"encoding/binary"
	"fmt"

	"github.com/slowburn/slowburn/internal/state"
)

// decode parses what append wrote. It returns state.ErrCorrupt for anything else.
func decode(b []byte, slots int) (*table, error) {
	r := reader{rest: b}
	if r.byte() != tableFormat {
		r.fail("a table of parts has an unknown format")
	}
	texts := make([]string, r.count(1))
	for i := range texts {
		texts[i] = string(r.take(r.uvarint()))
	}
	rows := r.count(rowBytes)
	t := &table{slots: slots, rows: make([]*row, rows), index: make(map[key]int, rows)}
	all, counts := make([]row, rows), make([]uint64, rows*slots)
	for i := range all {
		row := &all[i]
		t.rows[i] = row
		row.n, counts = counts[:slots:slots], counts[slots:]
		row.part = Part{Service: r.text(texts), Version: r.text(texts), Operation: r.text(texts), Reason: r.text(texts)}
		r.row(row)
		if r.err == nil && i > 0 && t.rows[i-1].compare(row.key) >= 0 {
			r.fail("the rows of a table of parts are not sorted")
		}
		if r.err != nil {
			return nil, r.err
		}
		t.index[row.key] = i
	}
	if len(r.rest) > 0 {
		r.fail("a table of parts has bytes after its end")
	}
	return t, r.err
}

// rowBytes is the size of the smallest row.
const rowBytes = 4 + 5

// reader parses bytes until the first error, after which it returns zeros.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(text string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", state.ErrCorrupt, text)
	}
	r.rest = nil
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.fail("a table of parts is cut off")
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail("a table of parts is cut off")
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// count returns how many items of at least so many bytes follow.
func (r *reader) count(bytes int) int {
	n := r.uvarint()
	if n > uint64(len(r.rest)/bytes) {
		r.fail("a table of parts is cut off")
		return 0
	}
	return int(n)
}

func (r *reader) text(texts []string) string {
	n := r.uvarint()
	if n >= uint64(len(texts)) {
		r.fail("a part has a text that its table does not have")
		return ""
	}
	return texts[n]
}

// row parses what row.append wrote.
func (r *reader) row(row *row) {
	flags := r.byte()
	if flags > flagBad|flagRest {
		r.fail("a part has unknown flags")
	}
	row.bad = flags&flagBad != 0
	if flags&flagRest != 0 {
		rest, n := binary.Varint(r.rest)
		if n <= 0 || rest == 0 || rest <= -restUnit || rest >= restUnit {
			r.fail("a part has an impossible rest")
			return
		}
		r.rest = r.rest[n:]
		row.rest = float64(rest) / restUnit
	}
	first, n, least, width := r.uvarint(), r.uvarint(), r.uvarint(), int(r.byte())
	if first > uint64(len(row.n)) || n > uint64(len(row.n))-first || width > 64 {
		r.fail("a part has counts outside of its table")
		return
	}
	packed := r.take((n*uint64(width) + 7) / 8)
	if r.err == nil {
		if err := unpack(packed, row.n[first:first+n], least, width); err != nil {
			r.fail("a count of a part is too large")
		}
	}
}
