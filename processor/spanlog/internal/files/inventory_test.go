package files

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

var testSeed = format.Seed{1, 2}

// segmentBytes is a segment of two spans.
func segmentBytes(sequence uint64) []byte {
	b := make([]byte, 500)
	(&format.Header{Shard: 3, Sequence: sequence, Created: 1000, Seed: testSeed, Shards: 4, Size: 500}).Put(b)
	copy(b, format.MagicSegment)
	at := uint32(format.HeaderSize)
	put := func(k format.Kind, ref uint32, payload string) uint32 {
		start := at
		at += format.RecordHeaderSize + uint32(len(payload))
		r := b[start:at]
		binary.LittleEndian.PutUint32(r[format.LengthAt:], uint32(len(payload)))
		binary.LittleEndian.PutUint32(r[format.RefAt:], uint32(k)<<format.KindShift|ref)
		copy(r[format.RecordHeaderSize:], payload)
		binary.LittleEndian.PutUint32(r, format.RecordChecksum(sequence, r))
		return start
	}
	scope := put(format.KindScope, put(format.KindResource, 0, "res"), "scope")
	put(format.KindSpan, scope, "one")
	put(format.KindSpan, scope, "two")
	format.SetUsed(b, at)
	return b
}

func packedBytes(sequence uint64) []byte {
	raw := segmentBytes(sequence)
	raw = raw[:binary.LittleEndian.Uint32(raw[format.UsedAt:])]
	return format.Pack(raw, nil)
}

var testNames = format.Names{Policies: []string{"errors", "slow"}, Destinations: []format.Destination{{Key: "a"}, {Key: "b", Since: 5}}}

func journalBytes(sequence uint64, events ...format.Event) []byte {
	names := testNames.Encode()
	b := make([]byte, format.EventsAt(len(names))+format.EventSize*len(events))
	(&format.Header{Shard: 1, Sequence: sequence, Seed: testSeed, Shards: 4, Size: uint32(len(b))}).Put(b)
	copy(b, format.MagicJournal)
	format.PutNames(b, names, sequence)
	for i := range events {
		at := format.EventsAt(len(names)) + i*format.EventSize
		events[i].Put(b[at:at+format.EventSize], sequence)
	}
	return b
}

func directory(t testing.TB, contents map[string][]byte) *Directory {
	d, err := OpenDirectory(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	for name, b := range contents {
		require.NoError(t, os.WriteFile(filepath.Join(d.path, name), b, 0o600))
	}
	return d
}

// summary returns the contents of an inventory, by number.
func summary(inv *Inventory) (segments, journals []uint64) {
	for _, f := range inv.Segments {
		segments = append(segments, f.Number)
	}
	for _, f := range inv.Journals {
		journals = append(journals, f.Number)
	}
	return segments, journals
}

func TestInventory(t *testing.T) {
	d := directory(t, map[string][]byte{
		"0000000a.seg": segmentBytes(5), "00000002.seg": segmentBytes(9), "00000003.pak": packedBytes(7),
		"0000000c.jnl": journalBytes(6), "00000001.jnl": journalBytes(8),
	})
	inv, err := d.Inventory()
	require.NoError(t, err)
	segments, journals := summary(inv)
	assert.Equal(t, []uint64{0xa, 3, 2}, segments, "in the order in which they were begun")
	assert.Equal(t, []uint64{0xc, 1}, journals)
	assert.Equal(t, testSeed, inv.Seed)
	assert.Equal(t, 4, inv.Shards)
	assert.EqualValues(t, 9, inv.Sequence)
	packed := int64(len(packedBytes(7)))
	assert.EqualValues(t, 1000+packed, inv.Bytes)
	assert.EqualValues(t, 1000+packed+2*int64(len(journalBytes(6))), d.Used())
	assert.Empty(t, inv.Damage)

	f := inv.Segments[0]
	assert.Equal(t, 3, f.Shard)
	assert.Equal(t, 4, f.Shards)
	assert.Equal(t, testSeed, f.Seed)
	assert.EqualValues(t, 500, f.Size)
	assert.Equal(t, filepath.Join(d.path, "0000000a.seg"), f.Path())
	assert.False(t, f.Suspect())
	assert.Equal(t, 2, f.Spans(), "what is not used is none")
	assert.Equal(t, 2, inv.Segments[1].Spans())

	m, err := d.Create(Segment, 100)
	require.NoError(t, err)
	assert.EqualValues(t, 0xd, m.File, "numbers go on behind the highest")
	m.Release()
	f.Delete()
	require.NoError(t, inv.Journals[0].Delete())
	assert.NoFileExists(t, f.Path())
	assert.Equal(t, []string{"00000001.jnl", "00000002.seg", "00000003.pak", "0000000d.seg"}, fileNames(t, d))
	assert.EqualValues(t, 500+100+packed+int64(len(journalBytes(6))), d.Used())
}

// The latest file gives the number of shards and the seed, wherever it is.
func TestInventoryTakesTheLatestSeed(t *testing.T) {
	old := segmentBytes(3)
	(&format.Header{Sequence: 3, Seed: format.Seed{9}, Shards: 7}).Put(old)
	latest := journalBytes(3)
	d := directory(t, map[string][]byte{"00000001.seg": old, "00000002.jnl": latest})
	inv, err := d.Inventory()
	require.NoError(t, err)
	assert.Equal(t, testSeed, inv.Seed)
	assert.Equal(t, 4, inv.Shards)

	empty, err := directory(t, nil).Inventory()
	require.NoError(t, err)
	assert.Equal(t, &Inventory{}, empty)
}

func flipped(b []byte, bytes ...int) []byte {
	for _, at := range bytes {
		b[at] ^= 1
	}
	return b
}

// A damaged file is set aside or suspect; an unused one is deleted; a foreign one stays.
func TestInventoryOfOneFile(t *testing.T) {
	for _, tc := range []struct {
		what, name string
		content    []byte
		left       string // the file's name afterwards
		damage     string
		lost       int
		suspect    bool
		listed     int
	}{
		{what: "free", name: "00000001.seg", content: []byte(format.MagicFree)},
		{what: "never used", name: "00000001.seg", content: make([]byte, 100)},
		{what: "empty", name: "00000001.jnl"},
		{what: "unfinished", name: "00000001.tmp", content: []byte("anything")},
		{what: "not ours", name: "notes.txt", content: []byte("anything"), left: "notes.txt"},
		{what: "not a number", name: "g.seg", content: segmentBytes(5), left: "g.seg"},
		{what: "a number too high", name: "8000000000000000.seg", content: segmentBytes(5), left: "8000000000000000.seg"},
		{what: "set aside before", name: "00000001.seg.damaged", content: segmentBytes(5), left: "00000001.seg.damaged"},
		{what: "cut off in the header", name: "00000001.seg", content: segmentBytes(5)[:63], left: "00000001.seg.damaged",
			damage: "the file is cut off in its header; it was renamed to end in .damaged", lost: 1},
		{what: "of a header only", name: "00000001.seg", content: segmentBytes(5)[:64], left: "00000001.seg", listed: 1},
		{what: "journal cut off in the header", name: "00000001.jnl", content: journalBytes(5)[:20], left: "00000001.jnl.damaged",
			damage: "the file is cut off in its header; it was renamed to end in .damaged"},
		{what: "magic damaged", name: "00000001.seg", content: flipped(segmentBytes(5), 0), left: "00000001.seg", listed: 1},
		{what: "header damaged", name: "00000001.seg", content: flipped(segmentBytes(5), 20), left: "00000001.seg", listed: 1, suspect: true},
		{what: "both damaged", name: "00000001.seg", content: flipped(segmentBytes(5), 0, 20), left: "00000001.seg.damaged",
			damage: "this is no file of a span log, or its header is damaged; it was renamed to end in .damaged", lost: 2},
		{what: "packed, both damaged", name: "00000001.pak", content: flipped(packedBytes(5), 0, 20), left: "00000001.pak.damaged",
			damage: "this is no file of a span log, or its header is damaged; it was renamed to end in .damaged"},
		{what: "journal with a damaged header", name: "00000001.jnl", content: flipped(journalBytes(5), 20), left: "00000001.jnl.damaged",
			damage: "the header of the journal is damaged; it was renamed to end in .damaged"},
		{what: "of another version, and magic damaged", name: "00000001.seg", content: flipped(ofVersion(9, segmentBytes(5)), 0), left: "00000001.seg.damaged",
			damage: "this is no file of a span log, or its header is damaged; it was renamed to end in .damaged", lost: 2},
		{what: "magic of another kind", name: "00000001.pak", content: flipped(segmentBytes(5), 20), left: "00000001.pak.damaged",
			damage: "this is no file of a span log, or its header is damaged; it was renamed to end in .damaged"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			d := directory(t, map[string][]byte{tc.name: tc.content})
			inv, err := d.Inventory()
			require.NoError(t, err)
			var want []string
			if tc.left != "" {
				want = []string{tc.left}
			}
			assert.Equal(t, want, fileNames(t, d))
			if tc.damage != "" {
				assert.Equal(t, []format.Damage{{Path: filepath.Join(d.path, tc.name), Reason: tc.damage, Lost: tc.lost}}, inv.Damage)
			} else {
				assert.Empty(t, inv.Damage)
			}
			require.Len(t, inv.Segments, tc.listed)
			used := 0
			if tc.listed > 0 {
				used = len(tc.content)
				assert.Equal(t, tc.suspect, inv.Segments[0].Suspect())
				assert.Equal(t, !tc.suspect, inv.Sequence == 5, "a suspect header says nothing of the sequence")
			}
			assert.EqualValues(t, used, d.Used())
		})
	}
}

func TestInventoryThatFails(t *testing.T) {
	d := directory(t, nil)
	require.NoError(t, os.Mkdir(filepath.Join(d.path, "00000001.seg"), 0o700))
	_, err := d.Inventory()
	assert.ErrorContains(t, err, "cannot read the span log's file "+filepath.Join(d.path, "00000001.seg"))

	d = directory(t, map[string][]byte{"00000001.seg": []byte("damaged")})
	require.NoError(t, os.MkdirAll(filepath.Join(d.path, "00000001.seg.damaged", "full"), 0o700))
	_, err = d.Inventory()
	assert.ErrorContains(t, err, "cannot set a damaged file aside, "+filepath.Join(d.path, "00000001.seg"))

	d = directory(t, nil)
	require.NoError(t, os.MkdirAll(filepath.Join(d.path, "00000001.tmp", "full"), 0o700))
	_, err = d.Inventory()
	assert.ErrorContains(t, err, "cannot delete the unfinished file "+filepath.Join(d.path, "00000001.tmp"))

	d = directory(t, nil)
	require.NoError(t, os.Symlink("none", filepath.Join(d.path, "00000001.seg")))
	_, err = d.Inventory()
	assert.ErrorIs(t, err, os.ErrNotExist)

	require.NoError(t, os.RemoveAll(d.path))
	_, err = d.Inventory()
	assert.ErrorContains(t, err, "cannot read the directory of the span log "+d.path)
}

// Of a packed segment and its original only one stays: the packed one if it is intact.
func TestInventoryDropsTwins(t *testing.T) {
	for name, tc := range map[string]struct {
		packed []byte
		stays  []uint64
	}{
		"whole":   {packedBytes(5), []uint64{1, 3, 4}},
		"damaged": {flipped(packedBytes(5), format.PackedHeaderSize), []uint64{1, 2, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			d := directory(t, map[string][]byte{
				"00000001.seg": segmentBytes(4), "00000002.seg": segmentBytes(5), "00000003.pak": tc.packed, "00000004.pak": packedBytes(6),
			})
			inv, err := d.Inventory()
			require.NoError(t, err)
			segments, _ := summary(inv)
			assert.Equal(t, tc.stays, segments)
			size := int64(0)
			for _, f := range inv.Segments {
				assert.FileExists(t, f.Path())
				size += f.Size
			}
			assert.Equal(t, size, inv.Bytes)
			assert.Equal(t, size, d.Used())
			assert.Len(t, fileNames(t, d), 3)
		})
	}
}

func TestSegmentFilesAreRead(t *testing.T) {
	d := directory(t, map[string][]byte{"00000001.seg": segmentBytes(5), "00000002.pak": packedBytes(6), "00000003.seg": flipped(segmentBytes(7), 12)})
	inv, err := d.Inventory()
	require.NoError(t, err)
	scratch := make([]byte, 0, 400)
	for i, f := range inv.Segments {
		var got []string
		contents, damage, err := f.Read(scratch, func(s format.Found) {
			got = append(got, fmt.Sprintf("%s/%s/%s at %d of %d", s.Resource, s.Scope, s.Body, s.At, s.Position.Sequence()))
		})
		require.NoError(t, err)
		sequence := 5 + i
		assert.Equal(t, []string{fmt.Sprintf("res/scope/one at 112 of %d", sequence), fmt.Sprintf("res/scope/two at 135 of %d", sequence)}, got)
		assert.EqualValues(t, 158, contents.Used)
		assert.Equal(t, format.KindSpan, contents.Records.Kind(112))
		if f.Suspect() {
			require.Len(t, damage, 1)
			assert.Equal(t, "the header is damaged: what belongs to it was found by the checksums", damage[0].Reason)
		} else {
			assert.Empty(t, damage)
		}
		assert.Same(t, &scratch[:1][0], &contents.Scratch()[:1][0])
	}
	large := make([]byte, 0, 600)
	contents, _, err := inv.Segments[0].Read(large, func(format.Found) {})
	require.NoError(t, err)
	assert.Same(t, &large[:1][0], &contents.Records[0], "scratch that is large enough is used")
	assert.Len(t, contents.Records, 500)
}

func TestSegmentFilesThatCannotBeRead(t *testing.T) {
	d := directory(t, map[string][]byte{"00000001.seg": segmentBytes(5), "00000002.pak": packedBytes(6)})
	inv, err := d.Inventory()
	require.NoError(t, err)
	raw, packed := inv.Segments[0], inv.Segments[1]
	scratch := make([]byte, 10)
	unreadable := func(f *SegmentFile) error {
		contents, damage, err := f.Read(scratch, func(format.Found) { t.Error("a span") })
		assert.Empty(t, damage)
		assert.Equal(t, scratch, contents.Scratch())
		return err
	}
	require.NoError(t, os.Truncate(raw.Path(), 100))
	assert.ErrorContains(t, unreadable(raw), "cannot read the span log's file "+raw.Path())
	require.NoError(t, os.Truncate(packed.Path(), format.PackedHeaderSize))
	assert.ErrorIs(t, unreadable(packed), format.ErrDamaged)
	assert.Equal(t, 2, packed.Spans())
	require.NoError(t, os.Truncate(packed.Path(), format.PackedHeaderSize-1))
	assert.Equal(t, 1, packed.Spans(), "a guess")
	packed.Size = 5000
	assert.Equal(t, 10, packed.Spans())
	require.NoError(t, os.Truncate(raw.Path(), format.HeaderSize))
	assert.Equal(t, 1, raw.Spans(), "at least one, as there is a file")
	require.NoError(t, os.Remove(raw.Path()))
	raw.Size = 1000
	assert.Equal(t, 2, raw.Spans())
	assert.ErrorIs(t, unreadable(raw), os.ErrNotExist)
	raw.Delete()
}

func TestJournalFilesAreRead(t *testing.T) {
	event := func(policy int, to uint64) format.Event {
		return format.Event{Kind: format.Decided, Policy: policy, To: format.PositionOf(to, 0)}
	}
	b := journalBytes(6, event(0, 3), event(1, 9), event(2, 20), event(-1, 8), event(0, 4), event(0, 5), event(0, 2))
	at := func(i int) int { return len(b) - (7-i)*format.EventSize }
	flipped(b, at(3), at(4)+10, at(6)+63)
	d := directory(t, map[string][]byte{"00000001.jnl": b})
	inv, err := d.Inventory()
	require.NoError(t, err)
	f := inv.Journals[0]
	assert.Equal(t, 1, f.Shard)
	assert.Equal(t, 4, f.Shards())
	assert.Equal(t, testSeed, f.Seed())
	assert.EqualValues(t, 6, f.Highest(), "its own, before it is read")
	var got []format.Event
	damage, err := f.Read(func(e *format.Event, names format.Names) {
		assert.Equal(t, testNames, names)
		got = append(got, *e)
	})
	require.NoError(t, err)
	assert.Equal(t, []format.Event{event(0, 3), event(1, 9), event(0, 5)}, got)
	assert.Equal(t, []format.Damage{{Path: d.File(f.File), Offset: at(3),
		Reason: "2 records of decisions are damaged: these are decided, or delivered, again"}}, damage)
	assert.EqualValues(t, 9, f.Highest())
	assert.Equal(t, 3, f.Events())

	require.NoError(t, f.Delete())
	_, err = f.Read(func(*format.Event, format.Names) { t.Error("an event") })
	assert.ErrorContains(t, err, "cannot read the journal ")
	assert.Error(t, f.Delete())
}

func TestJournalFileWithoutNames(t *testing.T) {
	b := journalBytes(6, format.Event{Kind: format.Decided})
	d := directory(t, map[string][]byte{"00000001.jnl": flipped(b, 70)})
	inv, err := d.Inventory()
	require.NoError(t, err)
	f := inv.Journals[0]
	damage, err := f.Read(func(*format.Event, format.Names) { t.Error("an event") })
	require.NoError(t, err)
	assert.Equal(t, []format.Damage{{Path: d.File(f.File), Reason: "the names of policies and destinations are damaged: what was decided is decided anew"}}, damage)
}
