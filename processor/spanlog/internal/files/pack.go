package files

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// WritePacked writes a segment, which is given compressed too, as a packed file beside its own. Under its own name it is
// complete.
func (d *Disk) WritePacked(raw, compressed []byte) (File, error) {
	b := format.Pack(raw, compressed)
	f := File{Number: d.next.Add(1), Kind: Packed, Size: int64(len(b))}
	temporary := d.File(File{Number: f.Number, Kind: temporarySuffix})
	failpoint.Before(failpoint.SpanlogPack)
	err := d.sys.Write(temporary, b, d.Flushes())
	failpoint.After(failpoint.SpanlogPack)
	if err == nil {
		failpoint.Before(failpoint.SpanlogRename)
		err = d.sys.Rename(temporary, d.File(f))
		failpoint.After(failpoint.SpanlogRename)
	}
	if err != nil {
		return File{}, errors.Join(fmt.Errorf("write a compressed segment: %w", err), ignoreMissing(d.sys.Remove(temporary)))
	}
	if d.Flushes() {
		d.flush.rename()
	}
	d.used.Add(f.Size)
	return f, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
