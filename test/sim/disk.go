package sim

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// Disk holds the files of one directory, in memory. A store in a file's memory is in the kernel at once; Fsync decides which of
// it is on the disk, and at a power cut, chance. It implements spanlog.System, and is for one goroutine at a time.
type Disk struct {
	rng *rand.Rand
	// at is called before each operation.
	at    func(operation string)
	ended bool // the process is dead: its operations have no effect

	files   map[string]*file
	onDisk  map[string]*file // the names that survive a power cut
	changes []change         // of names, not yet on the disk
	faults  DiskFaults
	torn    bool // a store was in progress when the process ended
}

// DiskFaults are the faults of a disk.
type DiskFaults struct {
	Full  bool // no file can be created
	Fsync bool // flushes fail
	Read  bool // reads fail
	Write bool // writes are cut short
	// Evict makes the pages of reopened files absent from memory.
	Evict bool
}

type file struct {
	data   []byte // as the kernel has it
	onDisk []byte // nil if nothing is
	locked bool
}

// change is a new name or, if file is nil, a removed one.
type change struct {
	name string
	file *file
}

const sector = 512

// NewDisk returns an empty disk.
func NewDisk(rng *rand.Rand, at func(operation string)) *Disk {
	return &Disk{rng: rng, at: at, files: map[string]*file{}, onDisk: map[string]*file{}}
}

// begin reports an operation, and returns an error if the process is dead.
func (d *Disk) begin(operation, name string) error {
	if !d.ended {
		d.at(operation + " " + path.Base(name))
	}
	if d.ended {
		return &fs.PathError{Op: operation, Path: name, Err: syscall.ESHUTDOWN}
	}
	return nil
}

func fail(operation, name string, err error) error {
	return &fs.PathError{Op: operation, Path: name, Err: err}
}

func (d *Disk) find(operation, name string) (*file, error) {
	if f := d.files[name]; f != nil {
		return f, nil
	}
	return nil, fail(operation, name, fs.ErrNotExist)
}

func (d *Disk) set(name string, f *file) {
	if f == nil {
		delete(d.files, name)
	} else {
		d.files[name] = f
	}
	d.changes = append(d.changes, change{name, f})
}

// MakeDirectory implements spanlog.System: there is one directory, with all names.
func (d *Disk) MakeDirectory(string) error { return nil }

type entry struct{ name string }

func (e entry) Name() string               { return e.name }
func (e entry) IsDir() bool                { return false }
func (e entry) Type() fs.FileMode          { return 0 }
func (e entry) Info() (fs.FileInfo, error) { return nil, fs.ErrInvalid }

// ReadDirectory implements spanlog.System.
func (d *Disk) ReadDirectory(directory string) (list []fs.DirEntry, err error) {
	if err := d.begin("list", directory); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		list = append(list, entry{strings.TrimPrefix(name, directory+"/")})
	}
	return list, nil
}

type unlock struct{ f *file }

func (u unlock) Close() error { u.f.locked = false; return nil }

// Lock implements spanlog.System.
func (d *Disk) Lock(name string) (io.Closer, error) {
	f := d.files[name]
	if f == nil {
		f = &file{}
		d.files[name] = f
	}
	if f.locked {
		return nil, fail("lock", name, syscall.EWOULDBLOCK)
	}
	f.locked = true
	return unlock{f}, nil
}

// Create implements spanlog.System.
func (d *Disk) Create(name string, number uint64, size int) (mapped.Memory, error) {
	if err := d.begin("create", name); err != nil {
		return mapped.Memory{}, err
	}
	if d.faults.Full {
		return mapped.Memory{}, fail("create", name, syscall.ENOSPC)
	}
	if d.files[name] != nil {
		return mapped.Memory{}, fail("create", name, fs.ErrExist)
	}
	f := &file{data: make([]byte, size)}
	d.set(name, f)
	return mapped.Simulated(f.data, number), nil
}

// Reopen implements spanlog.System.
func (d *Disk) Reopen(name string, number uint64, size int) (mapped.Memory, error) {
	if err := d.begin("reopen", name); err != nil {
		return mapped.Memory{}, err
	}
	f, err := d.find("reopen", name)
	if err != nil {
		return mapped.Memory{}, err
	}
	if d.faults.Evict || len(f.data) != size {
		return mapped.Memory{}, mapped.ErrNotCached
	}
	return mapped.Simulated(f.data, number), nil
}

// ReadBeginning implements spanlog.System.
func (d *Disk) ReadBeginning(name string, buf []byte) (int64, error) {
	b, err := d.read(name)
	if err != nil {
		return 0, err
	}
	if copy(buf, b) < len(buf) {
		err = io.EOF
	}
	return int64(len(b)), err
}

// Open implements spanlog.System.
func (d *Disk) Open(name string) (spanlog.ReadFile, error) {
	if _, err := d.read(name); err != nil {
		return nil, err
	}
	return &openFile{d, name, d.files[name]}, nil
}

// openFile is a file that is open for reading, whether or not it still has a name.
type openFile struct {
	disk *Disk
	name string
	file *file
}

func (o *openFile) ReadAt(buf []byte, at int64) (n int, err error) {
	if err := o.disk.begin("read", o.name); err != nil {
		return 0, err
	}
	if o.disk.faults.Read {
		return 0, fail("read", o.name, syscall.EIO)
	}
	if at < int64(len(o.file.data)) {
		n = copy(buf, o.file.data[at:])
	}
	if n < len(buf) {
		err = io.EOF
	}
	return n, err
}

func (o *openFile) Close() error { return nil }

// ReadAll implements spanlog.System.
func (d *Disk) ReadAll(name string) ([]byte, error) {
	b, err := d.read(name)
	return slices.Clone(b), err
}

func (d *Disk) read(name string) ([]byte, error) {
	if err := d.begin("read", name); err != nil {
		return nil, err
	}
	f, err := d.find("read", name)
	if err != nil {
		return nil, err
	}
	if d.faults.Read {
		return nil, fail("read", name, syscall.EIO)
	}
	return f.data, nil
}

// Write implements spanlog.System.
func (d *Disk) Write(name string, b []byte, flush bool) error {
	if err := d.begin("write", name); err != nil {
		return err
	}
	if d.files[name] != nil {
		return fail("write", name, fs.ErrExist)
	}
	f := &file{data: slices.Clone(b)}
	d.set(name, f)
	if d.faults.Full || d.faults.Write {
		f.data = f.data[:d.rng.IntN(len(b)+1)]
		return fail("write", name, syscall.ENOSPC)
	}
	if flush {
		return d.Fsync(name)
	}
	return nil
}

// Overwrite implements spanlog.System.
func (d *Disk) Overwrite(name string, b []byte) error {
	if err := d.begin("overwrite", name); err != nil {
		return err
	}
	f, err := d.find("overwrite", name)
	if err != nil {
		return err
	}
	if d.faults.Write {
		copy(f.data, b[:d.rng.IntN(len(b))])
		return fail("overwrite", name, syscall.EIO)
	}
	copy(f.data, b)
	return nil
}

// Exists implements spanlog.System.
func (d *Disk) Exists(name string) (bool, error) { return d.files[name] != nil, nil }

// Rename implements spanlog.System.
func (d *Disk) Rename(from, to string) error {
	if err := d.begin("rename", from); err != nil {
		return err
	}
	f, err := d.find("rename", from)
	if err != nil {
		return err
	}
	d.set(to, f)
	d.set(from, nil)
	return nil
}

// Remove implements spanlog.System.
func (d *Disk) Remove(name string) error {
	if err := d.begin("remove", name); err != nil {
		return err
	}
	if _, err := d.find("remove", name); err != nil {
		return err
	}
	d.set(name, nil)
	return nil
}

// Fsync implements spanlog.System. A name without a file is the directory's.
func (d *Disk) Fsync(name string) error {
	if err := d.begin("fsync", name); err != nil {
		return err
	}
	if d.faults.Fsync {
		return fail("fsync", name, syscall.EIO)
	}
	if !strings.Contains(path.Base(name), ".") {
		d.onDisk, d.changes = maps.Clone(d.files), nil
		return nil
	}
	f, err := d.find("fsync", name)
	if err != nil {
		return err
	}
	f.onDisk = slices.Clone(f.data)
	return nil
}

// image is a copy of each file as the kernel has it.
type image map[string][]byte

func (d *Disk) image() image {
	i := image{}
	for name, f := range d.files {
		i[name] = slices.Clone(f.data)
	}
	return i
}

// Kill ends the process, and returns the files as the kernel has them. If before is not nil, and one file has changed since, the
// process ended during a store to it: a part of the store is missing.
func (d *Disk) Kill(before image) *Disk {
	d.ended = true
	after := NewDisk(d.rng, d.at)
	copies := map[*file]*file{}
	clone := func(f *file) *file {
		if f == nil {
			return nil
		}
		if copies[f] == nil {
			copies[f] = &file{data: slices.Clone(f.data), onDisk: f.onDisk}
		}
		return copies[f]
	}
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		f := d.files[name]
		after.files[name] = clone(f)
		if old, there := before[name]; there && len(old) == len(f.data) && !slices.Equal(old, f.data) {
			changed = append(changed, name)
		}
	}
	for name, f := range d.onDisk {
		after.onDisk[name] = clone(f)
	}
	for _, c := range d.changes {
		after.changes = append(after.changes, change{c.name, clone(c.file)})
	}
	if len(changed) == 1 {
		after.torn = tear(d.rng, before[changed[0]], after.files[changed[0]].data)
	}
	return after
}

// header is the offset of a file's first record. The bytes before it are stored after the records, unless they are the first records of a
// segment that was begun, or begun anew: then only the part of its header behind used is stored after them.
const (
	header = 64
	used   = 60
)

// tear takes back a part of what was stored: all from some byte on, and what is stored after the records.
func tear(rng *rand.Rand, before, after []byte) bool {
	var places []int
	for i := header; i < len(after); i++ {
		if before[i] != after[i] {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return false
	}
	for _, i := range places[rng.IntN(len(places)):] {
		after[i] = before[i]
	}
	if begun := !slices.Equal(before[:used], after[:used]); begun && strings.HasPrefix(string(after), "slowspan") {
		clear(after[used:header])
	} else {
		copy(after[:header], before)
	}
	return true
}

// CutPower ends the process and the machine, and returns the files as the disk has them: flushed bytes, and a random part of the
// rest, sector by sector, and name by name in order.
func (d *Disk) CutPower() *Disk {
	d.ended = true
	after := NewDisk(d.rng, d.at)
	names := maps.Clone(d.onDisk)
	for _, c := range d.changes[:d.rng.IntN(len(d.changes)+1)] {
		if c.file == nil {
			delete(names, c.name)
		} else {
			names[c.name] = c.file
		}
	}
	written := [...]float64{0, 0.5, 0.9, 1}[d.rng.IntN(4)]
	for _, name := range slices.Sorted(maps.Keys(names)) {
		f := names[name]
		data := make([]byte, len(f.data))
		copy(data, f.onDisk)
		for at := 0; at < len(data); at += sector {
			if d.rng.Float64() < written {
				copy(data[at:min(at+sector, len(data))], f.data[at:])
			}
		}
		after.files[name] = &file{data: data, onDisk: slices.Clone(data)}
	}
	after.onDisk = maps.Clone(after.files)
	return after
}

// String lists the files.
func (d *Disk) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		fmt.Fprintf(&b, "%s (%d) ", path.Base(name), len(d.files[name].data))
	}
	return b.String()
}
