package units

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes. In YAML it is a number, or one with a unit: B, KiB, MiB, GiB, TiB, or KB, MB, GB, TB for
// powers of 1000.
type Size int64

type sizeUnit struct {
	name  string
	bytes float64
}

// The units, largest first. B ends all names, so it must be tried last.
var (
	binary  = []sizeUnit{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}
	decimal = []sizeUnit{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}
)

// UnmarshalText reads a size like "512MiB".
func (s *Size) UnmarshalText(text []byte) error {
	number, factor := split(strings.TrimSpace(string(text)))
	n, err := strconv.ParseFloat(number, 64)
	n *= factor
	if err != nil || math.IsNaN(n) || n < 0 || n >= math.MaxInt64 {
		return fmt.Errorf("%q is no size: write a number of bytes, or one with a unit, like 512MiB", text)
	}
	*s = Size(n)
	return nil
}

// split takes the unit off a size, and says how many bytes it is.
func split(text string) (number string, factor float64) {
	for _, list := range [][]sizeUnit{binary, decimal} {
		for _, u := range list {
			if number, ok := strings.CutSuffix(text, u.name); ok {
				return strings.TrimSpace(number), u.bytes
			}
		}
	}
	return text, 1
}

// MarshalText writes what UnmarshalText reads.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String is the size, exactly, in the largest binary unit that divides it.
func (s Size) String() string {
	for _, u := range binary {
		if of := int64(u.bytes); s != 0 && int64(s)%of == 0 {
			return strconv.FormatInt(int64(s)/of, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// About writes a number of bytes for people to read: in the largest binary unit that it reaches, with one decimal.
func About(bytes int64) string {
	u := binary[len(binary)-1]
	for _, larger := range binary {
		if float64(bytes) >= larger.bytes {
			u = larger
			break
		}
	}
	return fmt.Sprintf("%.1f%s", float64(bytes)/u.bytes, u.name)
}
