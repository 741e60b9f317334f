package otlpfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// traces is a message with n spans.
func traces(spans int) ptrace.Traces {
	td := ptrace.NewTraces()
	ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	for i := range spans {
		span := ss.Spans().AppendEmpty()
		span.SetTraceID([16]byte{1})
		span.SetSpanID([8]byte{byte(i + 1)})
		span.SetName(strings.Repeat("n", 300)) // so that a length needs more than its last byte
	}
	return td
}

func asProto(t testing.TB, td ptrace.Traces) []byte {
	var m ptrace.ProtoMarshaler
	data, err := m.MarshalTraces(td)
	require.NoError(t, err)
	return data
}

func asJSON(t testing.TB, td ptrace.Traces) []byte {
	var m ptrace.JSONMarshaler
	data, err := m.MarshalTraces(td)
	require.NoError(t, err)
	return data
}

func indented(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	require.NoError(t, json.Indent(&b, data, "", "\t"))
	return b.Bytes()
}

func delimited(messages ...[]byte) (file []byte) {
	for _, m := range messages {
		file = append(binary.BigEndian.AppendUint32(file, uint32(len(m))), m...)
	}
	return file
}

func compressed(t testing.TB, data []byte) []byte {
	z, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return z.EncodeAll(data, nil)
}

// Every encoding of the same two messages gives the same requests.
func TestFormats(t *testing.T) {
	one, two := traces(1), traces(40)
	p1, p2, j1, j2 := asProto(t, one), asProto(t, two), asJSON(t, one), asJSON(t, two)
	for name, file := range map[string][]byte{
		"JSON lines":               bytes.Join([][]byte{j1, j2, nil}, []byte("\n")),
		"JSON, no last line end":   bytes.Join([][]byte{j1, j2}, []byte("\n")),
		"JSON, indented":           append(append([]byte(" \n\t"), indented(t, j1)...), indented(t, j2)...),
		"JSON after an empty line": append(append([]byte("\n"), j1...), j2...),
		"protobuf":                 delimited(p1, p2),
		"protobuf, zstd":           delimited(compressed(t, p1), compressed(t, p2)),
		"JSON, zstd":               delimited(compressed(t, j1), compressed(t, j2)),
		"JSON lines, all zstd":     compressed(t, bytes.Join([][]byte{j1, j2, nil}, []byte("\n"))),
		"protobuf, all zstd":       compressed(t, delimited(p1, p2)),
		"protobuf, zstd by frames": append(compressed(t, delimited(p1)), compressed(t, delimited(p2))...),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := all(file)
			require.NoError(t, err)
			require.Equal(t, [][]byte{p1, p2}, got)
		})
	}
	got, err := all(p2)
	require.NoError(t, err)
	require.Equal(t, [][]byte{p2}, got, "a message alone")
}

func TestEmpty(t *testing.T) {
	got, err := all(nil)
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestBadFilesSayWhere(t *testing.T) {
	good := delimited(asProto(t, traces(1)))
	for want, file := range map[string][]byte{
		"neither OTLP JSON nor OTLP protobuf": []byte("resourceSpans:"),
		"the JSON after byte 0":               []byte(`{"resourceSpans": [`),
		"the JSON after byte 20: ":            []byte(`{"resourceSpans":[]}{"resourceSpans": 7}`),
		"the length at byte ":                 append(bytes.Clone(good), 0, 0),
		"of 9 bytes at byte ":                 append(bytes.Clone(good), 0, 0, 0, 9, 1),
		"unexpected EOF":                      compressed(t, good)[:40],
		"the message of 6 bytes at byte 0":    delimited(append(bytes.Clone(zstdMagic), 1, 2)),
	} {
		_, err := all(file)
		assert.ErrorContains(t, err, want)
	}
}

func TestStopsWhenAsked(t *testing.T) {
	j := asJSON(t, traces(1))
	for _, file := range [][]byte{append(bytes.Clone(j), j...), delimited(asProto(t, traces(1)), asProto(t, traces(2)))} {
		n := 0
		for range Read(bytes.NewReader(file)) {
			n++
			break
		}
		require.Equal(t, 1, n)
	}
}

func all(file []byte) (requests [][]byte, err error) {
	for request, err := range Read(bytes.NewReader(file)) {
		if err != nil {
			return requests, err
		}
		requests = append(requests, bytes.Clone(request))
	}
	return requests, nil
}

func FuzzRead(f *testing.F) {
	f.Add(asJSON(f, traces(2)))
	f.Add(delimited(asProto(f, traces(1)), compressed(f, asProto(f, traces(2)))))
	f.Add([]byte{0x0a, 0x00})
	f.Fuzz(func(_ *testing.T, file []byte) { _, _ = all(file) })
}

// A file that cannot be read is an error, wherever reading fails.
func TestReadErrors(t *testing.T) {
	broken := errors.New("broken")
	message := asProto(t, traces(40))
	for name, before := range map[string][]byte{
		"at the start": nil, "in JSON": []byte(`{"resourceSpans":[]}` + strings.Repeat(" ", 1000)), "in protobuf": message[:len(message)/2],
		"in a message with a length": delimited(message)[:len(message)/2], "in a length": append(delimited(message), 0),
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			for _, err = range Read(io.MultiReader(bytes.NewReader(before), iotest.ErrReader(broken))) {
				if err != nil {
					break
				}
			}
			require.ErrorIs(t, err, broken)
		})
	}
}
