package spanlog

import (
	"errors"
	"os"
)

// A segment's file that is given up is filled again sooner than a new one is made: the system has set its blocks aside,
// and its pages are in memory. What its former use left behind is no record of the new one, as the checksums begin with
// the segment's sequence.

// keep remembers a file that is marked as free and not mapped, and reports whether it did: only so many are kept.
func (p *Pool) keep(number uint64, size int64) bool {
	if size != int64(p.segmentSize) {
		return false
	}
	most := max(p.shards+1, int(min(p.limit, p.diskLimit)/8)/p.segmentSize)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) >= most {
		return false
	}
	p.idle = append(p.idle, number)
	return true
}

// reuse maps a file that was kept.
func (p *Pool) reuse(size int) (chunk, bool) {
	for size == p.segmentSize {
		number, ok := p.takeIdle()
		if !ok {
			break
		}
		if c, err := p.dir.reopen(number, size); err == nil {
			return c, true
		}
		p.deleteIdle(number) // whether a new file fares better is to be seen
	}
	return chunk{}, false
}

func (p *Pool) takeIdle() (number uint64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return 0, false
	}
	number, p.idle = p.idle[last], p.idle[:last]
	return number, true
}

// dropIdle deletes a file that was kept, to make room on the disk, and reports whether there was one.
func (p *Pool) dropIdle() bool {
	number, ok := p.takeIdle()
	if ok {
		p.deleteIdle(number)
	}
	return ok
}

// deleteIdle deletes a file that was kept. Should it stay, it is deleted at the next start.
func (p *Pool) deleteIdle(number uint64) {
	_ = p.dir.remove(number, segmentSuffix, int64(p.segmentSize))
}

// retire takes the memory of a segment that is marked as free back, and its file unless that is kept.
func (p *Pool) retire(c chunk) {
	if !c.onDisk() || !p.keep(c.number, int64(len(c.buf))) {
		p.release(c)
		return
	}
	p.source.unmap(c)
}

// errNotCached is a file whose pages the system has let go. Reading them back costs more than new ones.
var errNotCached = errors.New("the file is not in memory any more")

// reopen maps a segment's file that is marked as free.
func (d *Directory) reopen(number uint64, size int) (chunk, error) {
	f, err := os.OpenFile(d.file(number, segmentSuffix), os.O_RDWR, 0)
	if err != nil {
		return chunk{}, err
	}
	defer closeQuietly(f) // the mapping stays
	b, err := mapWhole(f, size, func(b []byte) error {
		if !cached(b) {
			return errNotCached
		}
		return populate(b)
	})
	return chunk{number: number, buf: b}, err
}

// markFree marks a file as free that is not mapped.
func (d *Directory) markFree(number uint64, suffix string) error {
	f, err := os.OpenFile(d.file(number, suffix), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(magicFree), 0)
	return errors.Join(err, f.Close())
}
