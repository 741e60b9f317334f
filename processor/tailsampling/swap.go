package tailsampling

import (
	"fmt"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/refuse"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// swap makes a version the current one, with the next number. A trace stays with the version under which its first span
// came, and a shard releases a version with its last trace. On an error nothing has changed. The caller holds swapping.
func (p *policies) swap(compile func(number int) (*version.Version, error)) (*version.Version, error) {
	if !p.buffer.Ready() {
		return nil, fmt.Errorf("%w: try again when that is done", refuse.ErrRecovering)
	}
	before := p.versions.Current()
	v, err := compile(before.Number + 1)
	if err != nil {
		return nil, err
	}
	for _, m := range p.buffer.Members {
		m.Lock()
		full := m.Versions().Full()
		m.Unlock()
		if full {
			return nil, errTooManyVersions
		}
	}
	v.CountErrorsFrom(before)
	p.versions.Set(v)
	names := p.versions.Names.Strings()
	for _, m := range p.buffer.Members {
		m.Lock()
		m.Swap(v)
		m.Journal.Rename(names)
		m.Unlock()
	}
	return v, nil
}

var errTooManyVersions = fmt.Errorf("traces of %d versions of the policies wait for their decision, which is the most there "+
	"can be: try again after decision_wait", version.MaxInUse)
