package tailsampling

import "fmt"

// swap makes rules the current ones, as the next version. Traces that have begun are decided by the version under which
// they did: spans of theirs that come later are looked at by that, and a shard lets it go with the last of them. Where
// there is an error nothing has changed. The caller has swapping.
func (p *Sampler) swap(make func(version int) (*rules, error)) (*rules, error) {
	if !p.ready.Load() {
		return nil, fmt.Errorf("%w: try again when that is done", errRecovering)
	}
	r, err := make(p.rules.Load().version + 1)
	if err != nil {
		return nil, err
	}
	for _, s := range p.shards {
		s.mu.Lock()
		full := s.rules.full()
		s.mu.Unlock()
		if full {
			return nil, errTooManyVersions
		}
	}
	r.errorsBefore = p.rules.Load().evaluationErrors()
	known := p.names.strings()
	p.versions.add(r)
	p.rules.Store(r)
	for _, s := range p.shards {
		s.mu.Lock()
		s.rules.swap(r)
		s.journal.Rename(known)
		s.mu.Unlock()
	}
	return r, nil
}

var errTooManyVersions = fmt.Errorf("traces of %d versions of the policies wait for their decision, which is the most there "+
	"can be: try again after decision_wait", mostGenerations)
