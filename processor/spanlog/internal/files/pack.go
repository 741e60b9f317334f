package files

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/slowburn/slowburn/internal/failpoint"
)

// WritePacked writes a packed file that format.Pack returned. It writes under a temporary name and renames the file, so that a
// file with the name of a packed one is complete.
func (d *Disk) WritePacked(b []byte) (File, error) {
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
