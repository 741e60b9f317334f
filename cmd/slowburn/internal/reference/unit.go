package reference

import (
	"reflect"
	"regexp"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/internal/units"
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

// unitOf tries by decoding which units a type takes. It returns nil for a type that takes none.
func unitOf(t reflect.Type) *Unit { return unitBy(func(value any) bool { return decodes(t, value) }) }

// ownUnit is unitOf for a key of this module, which package units checks before it is decoded. A number without a unit is
// accepted if the key's name has the unit, or if the key has the meaning of another component's.
func ownUnit(t reflect.Type, field reflect.StructField, key string) *Unit {
	bare := strings.HasSuffix(key, "_bytes") || field.Tag.Get("units") == units.Foreign
	return unitBy(func(value any) bool {
		found := units.Check("", value, reflect.Zero(t).Interface())
		if _, text := value.(string); len(found.Refused) > 0 && (text || !bare) {
			return false
		}
		if rewritten, ok := found.Rewritten[""]; ok {
			value = rewritten
		}
		return decodes(t, value)
	})
}

func unitBy(takes func(value any) bool) *Unit {
	u := &Unit{Fraction: takes("1.5h") || takes("1.5MiB"), Bare: takes(5)}
	for _, name := range durationUnits {
		if takes("1" + name) {
			u.Names = append(u.Names, name)
		}
	}
	if len(u.Names) > 0 && takes("1h") {
		return u
	}
	u.Bytes, u.Names = true, nil
	for _, name := range byteUnits {
		if takes("1" + name) {
			u.Names = append(u.Names, name)
		}
	}
	if len(u.Names) == 0 || !takes("1MiB") || takes("1x") {
		return nil
	}
	return u
}

// decodes reports whether the Collector decodes a value into the type.
func decodes(t reflect.Type, value any) bool {
	holder := reflect.StructOf([]reflect.StructField{{Name: "V", Type: t, Tag: `mapstructure:"v"`}})
	return confmap.NewFromStringMap(map[string]any{"v": value}).Unmarshal(reflect.New(holder).Interface()) == nil
}

// Pattern returns a regular expression of the accepted texts.
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
		pattern := `^` + number + ` ?(` + strings.Join(quoted, "|") + `)`
		if u.Bare {
			return pattern + `?$`
		}
		return pattern + `$|^0$`
	}
	return `^-?(` + number + `(` + strings.Join(quoted, "|") + `))+$|^0$`
}
