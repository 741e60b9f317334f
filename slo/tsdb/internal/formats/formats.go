// Package formats finds the files of a Prometheus database that are of another format version, and moves them aside before it is opened:
// Prometheus would refuse to open the database for a block, and delete chunks.
//
// A block is moved as a whole, and so are the chunks of the last hours, which the log has too. The log has no version.
package formats

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"
	"github.com/prometheus/prometheus/tsdb/tombstones"

	"github.com/slowburn/slowburn/internal/otherformat"
)

// Reads is the version of most files that this program reads; of indexes it reads the two others too.
const Reads otherformat.Version = 1

var indexVersions = []otherformat.Version{index.FormatV1, index.FormatV2, index.FormatV3}

// blockName is how many characters the name of a block has, a ULID.
const blockName = 26

// MoveAside moves files of another format version aside. It leaves files to Prometheus that cannot be read or are not what
// their name says.
func MoveAside(dir string) ([]otherformat.Moved, error) {
	var m otherformat.Mover
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		path, version := filepath.Join(dir, entry.Name()), Reads
		switch {
		case !entry.IsDir():
		case len(entry.Name()) == blockName:
			version = ofBlock(path)
		case entry.Name() == "chunks_head":
			version = ofChunks(path, chunks.MagicHeadChunks)
		}
		if version == Reads {
			continue
		}
		if err := m.Move(path, version, size(path)); err != nil {
			return m.Moved, err
		}
	}
	return m.Moved, m.Flush()
}

// ofBlock returns the version of a block, or of the first of its files that is of another one.
func ofBlock(dir string) otherformat.Version {
	var meta struct{ Version otherformat.Version }
	b, err := os.ReadFile(filepath.Join(dir, "meta.json"))
	if err == nil && json.Unmarshal(b, &meta) == nil && meta.Version != Reads && meta.Version != 0 {
		return meta.Version
	}
	if v := ofFile(filepath.Join(dir, "index"), index.MagicIndex, indexVersions...); v != Reads {
		return v
	}
	if v := ofFile(filepath.Join(dir, "tombstones"), tombstones.MagicTombstone, Reads); v != Reads {
		return v
	}
	return ofChunks(filepath.Join(dir, "chunks"), chunks.MagicChunks)
}

// ofChunks returns the version of files of chunks, which have numbers for names.
func ofChunks(dir string, magic uint32) otherformat.Version {
	entries, _ := os.ReadDir(dir) // a missing directory is left to Prometheus
	for _, entry := range entries {
		if _, err := strconv.ParseUint(entry.Name(), 10, 64); err != nil {
			continue
		}
		if v := ofFile(filepath.Join(dir, entry.Name()), magic, Reads); v != Reads {
			return v
		}
	}
	return Reads
}

// ofFile returns the version of a file that begins with four bytes of magic and one of version, and Reads where it is one of those that
// are read.
func ofFile(path string, magic uint32, read ...otherformat.Version) otherformat.Version {
	f, err := os.Open(path)
	if err != nil {
		return Reads
	}
	defer func() { _ = f.Close() }() // it was only read
	var head [5]byte
	if _, err := io.ReadFull(f, head[:]); err != nil || binary.BigEndian.Uint32(head[:]) != magic {
		return Reads
	}
	if version := otherformat.Version(head[4]); version != 0 && !slices.Contains(read, version) {
		return version
	}
	return Reads
}

// size returns the bytes of the files below a directory, as far as they can be read.
func size(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipDir
		}
		if info, err := entry.Info(); err == nil && !entry.IsDir() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}
