package files

import (
	"errors"
	"fmt"
	"os"

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
	err := writeFile(temporary, b, d.Flushes())
	failpoint.After(failpoint.SpanlogPack)
	if err == nil {
		failpoint.Before(failpoint.SpanlogRename)
		err = os.Rename(temporary, d.File(f))
		failpoint.After(failpoint.SpanlogRename)
	}
	if err != nil {
		return File{}, errors.Join(fmt.Errorf("write a compressed segment: %w", err), ignoreMissing(os.Remove(temporary)))
	}
	if d.Flushes() {
		d.flush.rename()
	}
	d.used.Add(f.Size)
	return f, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func writeFile(path string, b []byte, flush bool) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil && flush {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
