package spanlog

// A segment that is given up because its records are in another file now was, until that file is forced to the disk, the
// only one to have them after a power cut. Where files are forced to the disk at all, it keeps its file until then.

// superseded is such a file.
type superseded struct {
	number uint64
	suffix string
	size   int64
}

// supersede takes back the memory of a segment whose records are elsewhere.
func (p *Pool) supersede(c chunk) {
	if p.unsynced == nil || !c.onDisk() {
		p.put(c)
		return
	}
	p.unmap(c)
	p.await(superseded{c.number, segmentSuffix, int64(len(c.buf))})
}

// supersedeCold is supersede for a segment that is not in memory.
func (p *Pool) supersedeCold(c *cold) {
	if p.unsynced == nil || c.number == 0 {
		p.discard(c)
		return
	}
	p.leave(c)
	p.await(superseded{c.number, c.suffix, c.size})
}

func (p *Pool) await(f superseded) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = append(p.waiting, f)
}

func (p *Pool) waitingBytes() (n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.waiting {
		n += f.size
	}
	return n
}

func (p *Pool) takeWaiting() []superseded {
	p.mu.Lock()
	defer p.mu.Unlock()
	files := p.waiting
	p.waiting = nil
	return files
}

// giveUp marks a file as free, and keeps or deletes it.
func (p *Pool) giveUp(f superseded) {
	err := p.dir.markFree(f.number, f.suffix)
	p.unwanted(f.number, f.suffix)
	if err == nil && f.suffix == segmentSuffix && p.keep(f.number, f.size) {
		return
	}
	_ = p.dir.remove(f.number, f.suffix, f.size) // should it stay, the journal knows that nothing in it is wanted
}
