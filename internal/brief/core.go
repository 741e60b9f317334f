package brief

import (
	"fmt"
	"reflect"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Core returns a core that passes entries on to another, with the message and each field cut to Field bytes. A field with
// several parts, such as a list, is replaced by its cut JSON text if that is longer.
func Core(to zapcore.Core) zapcore.Core { return core{to} }

// core is safe for concurrent use if the core behind it is.
type core struct{ zapcore.Core }

// With implements zapcore.Core.
func (c core) With(fields []zapcore.Field) zapcore.Core { return core{c.Core.With(cutAll(fields))} }

// Check implements zapcore.Core. It respects the other core's own decision, such as a sampler's.
func (c core) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Core.Check(entry, nil) == nil {
		return checked
	}
	return checked.AddCore(entry, c)
}

// Write implements zapcore.Core.
func (c core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	entry.Message = Text(entry.Message, Field)
	return c.Core.Write(entry, cutAll(fields))
}

// cutAll returns the fields; the slice is a copy if one of them had to be cut.
func cutAll(fields []zapcore.Field) []zapcore.Field {
	own := false
	for i := range fields {
		f, changed := cut(fields[i])
		if !changed {
			continue
		}
		if !own {
			fields, own = append([]zapcore.Field(nil), fields...), true
		}
		fields[i] = f
	}
	return fields
}

// cut returns a field, cut if necessary, and whether it was.
func cut(f zapcore.Field) (zapcore.Field, bool) {
	switch f.Type {
	case zapcore.StringType:
		if len(f.String) <= Field {
			return f, false
		}
		f.String = Text(f.String, Field)
		return f, true
	case zapcore.ByteStringType:
		b, ok := f.Interface.([]byte)
		if !ok || len(b) <= Field {
			return f, false
		}
		return zap.String(f.Key, Text(string(b), Field)), true
	case zapcore.BinaryType:
		b, ok := f.Interface.([]byte)
		if !ok || len(b) <= Field {
			return f, false
		}
		return zap.String(f.Key, Text(fmt.Sprintf("%x", b[:Field/2+1]), Field)+fmt.Sprintf(" of %d bytes in all", len(b))), true
	case zapcore.ErrorType:
		return cutError(f)
	case zapcore.StringerType:
		text, ok := textOf(f.Interface)
		if !ok || len(text) <= Field {
			return f, false
		}
		return zap.String(f.Key, Text(text, Field)), true
	case zapcore.ObjectMarshalerType, zapcore.ArrayMarshalerType, zapcore.InlineMarshalerType, zapcore.ReflectType:
		return cutParts(f)
	}
	return f, false // a number, or a time
}

// cutError cuts an error. If the rest of it (a stack, its causes) is too long, that is left out.
func cutError(f zapcore.Field) (zapcore.Field, bool) {
	err, ok := f.Interface.(error)
	if !ok {
		return f, false
	}
	text, ok := textOf(err)
	if !ok {
		return f, false
	}
	long := len(text) > Field
	if _, tells := err.(fmt.Formatter); tells && !long {
		long = len(fmt.Sprintf("%+v", err)) > Field
	}
	if !long {
		return f, false
	}
	return zap.String(f.Key, Text(text, Field)), true
}

// cutParts cuts a field that an encoder splits into parts.
func cutParts(f zapcore.Field) (zapcore.Field, bool) {
	encoded, err := zapcore.NewJSONEncoder(zapcore.EncoderConfig{SkipLineEnding: true}).EncodeEntry(zapcore.Entry{}, []zapcore.Field{f})
	if err != nil {
		return f, false // the core reports the error
	}
	defer encoded.Free()
	if encoded.Len() <= Field {
		return f, false
	}
	key := f.Key
	if key == "" { // inline
		key = "fields"
	}
	return zap.String(key, Text(encoded.String(), Field)), true
}

// textOf returns the text of an error or a fmt.Stringer. It returns false if that panics, as for a nil pointer; zap reports
// this.
func textOf(v any) (text string, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	if v := reflect.ValueOf(v); v.Kind() == reflect.Pointer && v.IsNil() {
		return "", false
	}
	switch v := v.(type) {
	case error:
		return v.Error(), true
	case fmt.Stringer:
		return v.String(), true
	}
	return "", false
}
