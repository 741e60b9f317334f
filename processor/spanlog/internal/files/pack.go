package files

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// WritePacked writes a segment, which is given compressed too, as a packed file beside its own. Under its own name it is
// complete.
func (d *Disk) WritePacked(raw, compressed []byte) (File, error) {
	b := format.Pack(raw, compressed)
	f := File{Number: d.next.Add(1), Kind: Packed, Size: int64(len(b))}
	temporary := d.File(File{Number: f.Number, Kind: temporarySuffix})
	err := d.sys.Write(temporary, b, d.Flushes())
	if err == nil {
		err = d.sys.Rename(temporary, d.File(f))
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
