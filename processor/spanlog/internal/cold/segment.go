package cold

import (
	"slices"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Segment is a sealed segment in a file, or packed in memory.
type Segment struct {
	File     files.File    // the zero File if it is in memory
	Packed   mapped.Memory // its packed bytes if it is in memory
	Size     int64         // of File, or of Packed, in bytes
	Used     uint32        // bytes of the segment that are filled
	Sequence uint64
	Checked  bool    // its records carry checksums
	Patches  []Patch // by offset
	Facts    Facts

	// Gone is set when the segment is given up or replaced: readers close its file. The log's mutex guards it.
	Gone bool
}

// Patch replaces the link from a record to the previous one of its run. The link in the file is out of date and stays.
type Patch struct{ At, Prev uint32 }

// Compressed reports whether the bytes are packed.
func (s *Segment) Compressed() bool { return s.File.Kind != files.Segment }

// InFile reports whether the bytes are in a file.
func (s *Segment) InFile() bool { return s.File != (files.File{}) }

// Load reads the whole segment into buf, which has room for Used bytes.
func (s *Segment) Load(disk *files.Disk, buf []byte) error {
	if err := s.load(disk, buf[:s.Used]); err != nil {
		return err
	}
	for _, p := range s.Patches {
		format.Records(buf).SetPrev(p.At, p.Prev)
	}
	return nil
}

func (s *Segment) load(disk *files.Disk, buf []byte) error {
	switch s.File.Kind {
	case files.Segment:
		return disk.Read(s.File, buf)
	case files.Packed:
		return disk.ReadPacked(s.File, buf)
	default:
		_, damaged, err := format.Unpack(s.Packed.Buf, "", buf[:0:len(buf)])
		if err == nil && damaged > 0 {
			err = format.ErrDamaged
		}
		return err
	}
}

// prev returns the offset of the previous record of a run, 0 in the first. record is the bytes of the one at the offset.
func (s *Segment) prev(at uint32, record format.Records) uint32 {
	i, patched := slices.BinarySearchFunc(s.Patches, at, func(p Patch, at uint32) int { return int(p.At) - int(at) })
	if patched {
		return s.Patches[i].Prev
	}
	return record.Prev(0)
}
