package brief_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/multierr"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/slowburn/slowburn/internal/brief"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestText(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"", 0, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc… (1 bytes more)"},
		{"abcd", 0, "… (4 bytes more)"},
		{"abcd", -1, "… (4 bytes more)"},
		{"aé", 2, "a… (2 bytes more)"},
		{"世界", 4, "世… (3 bytes more)"},
		{"\x80\x80\x80\x80\x80\x80\x80", 6, "\x80\x80… (5 bytes more)"}, // no character is longer than 4 bytes
	} {
		require.Equal(t, c.want, brief.Text(c.text, c.most), "%q %d", c.text, c.most)
	}
}

func FuzzText(f *testing.F) {
	f.Add("aé世", 2)
	f.Add(strings.Repeat("\xff", 20), 7)
	f.Fuzz(func(t *testing.T, text string, most int) {
		cut := brief.Text(text, most)
		if len(text) <= most {
			require.Equal(t, text, cut)
			return
		}
		kept, rest, found := strings.Cut(cut[min(len(cut), strings.LastIndex(cut, "…")):], "… (")
		require.True(t, found)
		require.Empty(t, kept)
		var more int
		_, err := fmt.Sscanf(rest, "%d bytes more)", &more)
		require.NoError(t, err)
		require.Equal(t, text[:len(text)-more], strings.TrimSuffix(cut, "… ("+rest))
		require.LessOrEqual(t, len(text)-more, max(most, 0))
		if utf8.ValidString(text) {
			require.True(t, utf8.ValidString(cut))
			require.Greater(t, len(text)-more, most-utf8.UTFMax)
		}
	})
}

type stringer struct{ s string }

func (s *stringer) String() string { return s.s }

type formatted struct{ error }

func (e formatted) Format(s fmt.State, verb rune) {
	_, _ = fmt.Fprint(s, e.Error())
	if s.Flag('+') {
		_, _ = fmt.Fprint(s, strings.Repeat("stack ", 1<<20))
	}
}

// logged returns fields as the core writes them.
func logged(t *testing.T, message string, with, fields []zapcore.Field) (line []byte) {
	t.Helper()
	var out bytes.Buffer
	inner := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&out), zapcore.InfoLevel)
	logger := zap.New(brief.Core(inner)).With(with...)
	logger.Debug(message, fields...)
	require.Zero(t, out.Len(), "the level is the core's")
	logger.Error(message, fields...)
	require.True(t, json.Valid(out.Bytes()), "%.200s", out.Bytes())
	return out.Bytes()
}

// A log line with 15 MB of data is some KiB long, and says that it was cut; a short one is unchanged.
func TestCore(t *testing.T) {
	const most = 6*brief.Field + 1024 // JSON needs up to six bytes for one
	long := strings.Repeat("x\x00\xff世", 3<<20)
	list := make([]string, 1<<16)
	for name, of := range map[string]func(s string, list []string) zapcore.Field{
		"string":  func(s string, _ []string) zapcore.Field { return zap.String("k", s) },
		"bytes":   func(s string, _ []string) zapcore.Field { return zap.ByteString("k", []byte(s)) },
		"binary":  func(s string, _ []string) zapcore.Field { return zap.Binary("k", []byte(s)) },
		"error":   func(s string, _ []string) zapcore.Field { return zap.Error(errors.New(s)) },
		"wrapped": func(s string, _ []string) zapcore.Field { return zap.Error(fmt.Errorf("a: %w", errors.New(s))) },
		"errors": func(s string, _ []string) zapcore.Field {
			return zap.Error(multierr.Append(errors.New("a"), errors.New(s)))
		},
		"joined": func(s string, _ []string) zapcore.Field {
			return zap.Error(errors.Join(errors.New("a"), errors.New(s)))
		},
		"stringer":   func(s string, _ []string) zapcore.Field { return zap.Stringer("k", &stringer{s}) },
		"strings":    func(_ string, l []string) zapcore.Field { return zap.Strings("k", l) },
		"any":        func(s string, _ []string) zapcore.Field { return zap.Any("k", map[string]string{"a": s}) },
		"reflect":    func(s string, _ []string) zapcore.Field { return zap.Reflect("k", []string{s}) },
		"dictionary": func(s string, _ []string) zapcore.Field { return zap.Dict("k", zap.String("a", s)) },
		"inline": func(s string, _ []string) zapcore.Field {
			return zap.Inline(zapcore.ObjectMarshalerFunc(func(e zapcore.ObjectEncoder) error { e.AddString("a", s); return nil }))
		},
	} {
		for _, with := range []bool{false, true} {
			write := func(f zapcore.Field) []byte {
				if with {
					return logged(t, "m", []zapcore.Field{f}, nil)
				}
				return logged(t, "m", nil, []zapcore.Field{f})
			}
			line := write(of(long, list))
			require.Less(t, len(line), most, name)
			require.Contains(t, string(line), "more)", name)
			require.Contains(t, string(write(of("short", []string{"short"}))), plain(t, of("short", []string{"short"})), name)
		}
	}
	line := logged(t, long, nil, []zapcore.Field{zap.Int("n", 7), zap.Stringer("nil", (*stringer)(nil)), zap.Error(nil)})
	require.Less(t, len(line), most)
	require.Contains(t, string(line), `"n":7,"nil":"<nil>"`)
	line = logged(t, "m", nil, []zapcore.Field{zap.Error(formatted{errors.New("e")})})
	require.Less(t, len(line), most)
	require.Contains(t, string(line), `"error":"e"`)
}

// plain returns a field as it is logged without the core.
func plain(t *testing.T, f zapcore.Field) string {
	t.Helper()
	var out bytes.Buffer
	zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{SkipLineEnding: true}), zapcore.AddSync(&out), zapcore.InfoLevel)).Info("", f)
	return strings.Trim(out.String(), "{}")
}

// The caller's fields are not modified: it may log them again, elsewhere.
func TestCoreLeavesFieldsAlone(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	fields := []zapcore.Field{zap.String("a", "b"), zap.String("c", long)}
	logged(t, "m", nil, fields)
	require.Equal(t, long, fields[1].String)
}
