package sim

import (
	"bytes"
	"io"
	"io/fs"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newTestDisk has a file d/a.seg with flushed bytes, a flushed name, and later changes.
func newTestDisk(t *testing.T, seed uint64) *Disk {
	d := NewDisk(rand.New(rand.NewPCG(seed, 1)), func(string) {})
	m, err := d.Create("d/a.seg", 1, 4*sector)
	require.NoError(t, err)
	copy(m.Buf, bytes.Repeat([]byte("f"), 4*sector))
	require.NoError(t, d.Fsync("d/a.seg"))
	require.NoError(t, d.Fsync("d"))
	copy(m.Buf, bytes.Repeat([]byte("s"), 4*sector))
	require.NoError(t, d.Write("d/b.pak", []byte("b"), false))
	return d
}

// A kill loses no completed store, and may leave a part of one in progress.
func TestKill(t *testing.T) {
	torn := 0
	for seed := range uint64(50) {
		d := newTestDisk(t, seed)
		d.files["d/a.seg"].data[0] = 'h' // of the header
		before := d.image()
		copy(d.files["d/a.seg"].data[header:], "new record")
		whole := d.Kill(nil)
		assert.Equal(t, "new record", string(whole.files["d/a.seg"].data[header:header+10]))
		part := d.Kill(before)
		stored := string(part.files["d/a.seg"].data[header : header+10])
		assert.NotEqual(t, "new record", stored)
		assert.True(t, part.torn)
		if stored[0] == 'n' {
			torn++
		}
		b, err := part.ReadAll("d/b.pak")
		require.NoError(t, err)
		assert.Equal(t, "b", string(b))
		_, err = d.ReadAll("d/b.pak")
		assert.ErrorIs(t, err, syscall.ESHUTDOWN, "the process is dead")
	}
	assert.Positive(t, torn)
}

// A power cut takes what was not flushed, or leaves it, sector by sector, but never what was.
func TestCutPower(t *testing.T) {
	sectors, names := map[byte]int{}, 0
	for seed := range uint64(200) {
		after := newTestDisk(t, seed).CutPower()
		a, err := after.ReadAll("d/a.seg")
		require.NoError(t, err)
		for at := 0; at < len(a); at += sector {
			assert.Equal(t, bytes.Repeat(a[at:at+1], sector), a[at:at+sector], "a sector is whole")
			sectors[a[at]]++
		}
		if there, _ := after.Exists("d/b.pak"); there {
			names++
		}
	}
	assert.Len(t, sectors, 2)
	assert.Positive(t, sectors['f'])
	assert.Positive(t, sectors['s'])
	assert.Greater(t, names, 20)
	assert.Less(t, names, 180)
}

func TestDiskFaults(t *testing.T) {
	d := newTestDisk(t, 1)
	d.faults = DiskFaults{Full: true, Fsync: true, Read: true, Write: true, Evict: true}
	_, err := d.Create("d/c.seg", 2, 10)
	assert.ErrorIs(t, err, syscall.ENOSPC)
	assert.ErrorIs(t, d.Fsync("d/a.seg"), syscall.EIO)
	_, err = d.ReadAll("d/a.seg")
	assert.ErrorIs(t, err, syscall.EIO)
	assert.ErrorIs(t, d.Overwrite("d/a.seg", []byte("12345678")), syscall.EIO)
	_, err = d.Reopen("d/a.seg", 1, 4*sector)
	assert.Error(t, err)
	assert.ErrorIs(t, d.Write("d/e.pak", []byte("12345678"), false), syscall.ENOSPC)
	d.faults = DiskFaults{}
	_, err = d.ReadAll("d/none")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	m, err := d.Reopen("d/a.seg", 1, 4*sector)
	require.NoError(t, err)
	m.Buf[0] = 'x'
	b, err := d.ReadAll("d/a.seg")
	require.NoError(t, err)
	assert.Equal(t, byte('x'), b[0], "what is mapped is the file")
}

// An open file can be read whatever happens to its name, and fails as the disk does.
func TestOpenFile(t *testing.T) {
	d := newTestDisk(t, 1)
	_, err := d.Open("d/none")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	f, err := d.Open("d/b.pak")
	require.NoError(t, err)
	require.NoError(t, d.Remove("d/b.pak"))
	buf := make([]byte, 2)
	n, err := f.ReadAt(buf, 0)
	assert.Equal(t, 1, n)
	assert.ErrorIs(t, err, io.EOF)
	_, err = f.ReadAt(buf[:1], 0)
	assert.NoError(t, err)
	n, err = f.ReadAt(buf, 100)
	assert.Zero(t, n)
	assert.ErrorIs(t, err, io.EOF)
	d.faults.Read = true
	_, err = f.ReadAt(buf[:1], 0)
	assert.ErrorIs(t, err, syscall.EIO)
	_, err = d.Open("d/a.seg")
	assert.ErrorIs(t, err, syscall.EIO)
	d.faults.Read = false
	d.Kill(nil)
	_, err = f.ReadAt(buf[:1], 0)
	assert.ErrorIs(t, err, syscall.ESHUTDOWN)
	assert.NoError(t, f.Close())
}
