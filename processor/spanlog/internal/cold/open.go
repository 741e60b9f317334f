package cold

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"

	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// MaxFiles is how many files a Reader has open at most. All readers of a Limit have at most maxOpen files open, plus one each.
const (
	MaxFiles = 16
	maxOpen  = 64
)

// ErrTooManyFiles means that a file was not opened because the process has too many open files: the file is not damaged.
var ErrTooManyFiles = errors.New("raise the limit of open files (ulimit -n, LimitNOFILE=)")

// Limit counts the files that the readers of a pool have open. The zero Limit has none. It is safe for concurrent use.
type Limit struct{ open atomic.Int64 }

// Open returns how many files are open.
func (l *Limit) Open() int { return int(l.open.Load()) }

// openFiles are the files that a reader has open, the most recently used last.
type openFiles struct {
	disk  *files.Disk // nil in memory
	limit *Limit
	list  []*openFile
}

// openFile is a segment's file that is open.
type openFile struct {
	segment *Segment
	files.ReadFile
	index format.Index // of a packed one
}

// of returns a segment's open file, after opening it if needed.
func (o *openFiles) of(s *Segment) (*openFile, error) {
	for i := len(o.list) - 1; i >= 0; i-- {
		if f := o.list[i]; f.segment == s {
			copy(o.list[i:], o.list[i+1:])
			o.list[len(o.list)-1] = f
			return f, nil
		}
	}
	if len(o.list) > 0 && (len(o.list) >= MaxFiles || o.limit.open.Load() >= maxOpen) {
		o.close(0)
	}
	f, err := o.disk.Open(s.File)
	if tooMany(err) { // the limit is reached by other files of the process: hold one
		o.closeAll()
		f, err = o.disk.Open(s.File)
	}
	if tooMany(err) {
		return nil, fmt.Errorf("read spans back: %w: %w", err, ErrTooManyFiles)
	}
	if err != nil {
		return nil, fmt.Errorf("read spans back: %w", err)
	}
	opened := &openFile{segment: s, ReadFile: f}
	o.limit.open.Add(1)
	o.list = append(o.list, opened)
	if s.Compressed() {
		if opened.index, err = readIndex(f, s); err != nil {
			o.close(len(o.list) - 1)
			return nil, fmt.Errorf("read compressed spans back from %s: %w", o.disk.File(s.File), err)
		}
	}
	return opened, nil
}

// tooMany reports whether a file was not opened because too many are.
func tooMany(err error) bool { return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) }

// readIndex reads the index of a packed file.
func readIndex(f files.ReadFile, s *Segment) (format.Index, error) {
	const usual = 512 // more than a segment of the usual size needs
	b := make([]byte, min(usual, s.Size))
	if _, err := f.ReadAt(b, 0); err != nil {
		return format.Index{}, err
	}
	if end := format.IndexEnd(b); end > len(b) && int64(end) <= s.Size {
		b = make([]byte, end)
		if _, err := f.ReadAt(b, 0); err != nil {
			return format.Index{}, err
		}
	}
	x, err := format.ParseIndex(b)
	return x.Clone(), err
}

// closeGone closes the files of segments that are gone.
func (o *openFiles) closeGone() {
	for i := len(o.list) - 1; i >= 0; i-- {
		if o.list[i].segment.Gone {
			o.close(i)
		}
	}
}

func (o *openFiles) closeAll() {
	for len(o.list) > 0 {
		o.close(len(o.list) - 1)
	}
}

func (o *openFiles) close(i int) {
	_ = o.list[i].Close() // it was only read
	copy(o.list[i:], o.list[i+1:])
	o.list[len(o.list)-1] = nil
	o.list = o.list[:len(o.list)-1]
	o.limit.open.Add(-1)
}
