package reference

import (
	"reflect"
	"regexp"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// Unit describes how a duration or a number of bytes is written.
type Unit struct {
	// Bytes reports whether it is a number of bytes rather than a duration.
	Bytes bool
	// Names are the units that can be written.
	Names []string
	// Fraction and Bare report whether 1.5h, and a number without a unit, are taken.
	Fraction, Bare bool
}

var (
	durationUnits = []string{"ns", "us", "µs", "ms", "s", "m", "h", "d", "w", "y"}
	byteUnits     = []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "KB", "MB", "GB", "TB", "PB"}
)

// unitOf finds out by decoding which units a type takes. It returns nil for a type that takes none.
func unitOf(t reflect.Type) *Unit {
	u := &Unit{Fraction: decodes(t, "1.5h") || decodes(t, "1.5MiB"), Bare: decodes(t, 5)}
	for _, name := range durationUnits {
		if decodes(t, "1"+name) {
			u.Names = append(u.Names, name)
		}
	}
	if len(u.Names) > 0 && decodes(t, "1h") {
		return u
	}
	u.Bytes, u.Names = true, nil
	for _, name := range byteUnits {
		if decodes(t, "1"+name) {
			u.Names = append(u.Names, name)
		}
	}
	if len(u.Names) == 0 || !decodes(t, "1MiB") || decodes(t, "1x") {
		return nil
	}
	return u
}

// decodes reports whether the Collector decodes a value into the type.
func decodes(t reflect.Type, value any) bool {
	holder := reflect.StructOf([]reflect.StructField{{Name: "V", Type: t, Tag: `mapstructure:"v"`}})
	return confmap.NewFromStringMap(map[string]any{"v": value}).Unmarshal(reflect.New(holder).Interface()) == nil
}

// Pattern is the regular expression of the texts that are taken.
func (u *Unit) Pattern() string {
	quoted := make([]string, len(u.Names))
	for i, name := range u.Names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	number := `\d+`
	if u.Fraction {
		number = `\d+(\.\d+)?`
	}
	if u.Bytes {
		return `^` + number + ` ?(` + strings.Join(quoted, "|") + `)?$`
	}
	return `^-?(` + number + `(` + strings.Join(quoted, "|") + `))+$|^0$`
}
