package tailsampling

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes. In YAML it is a number, or one with a unit: B, KiB, MiB, GiB, TiB, or KB, MB, GB, TB for
// powers of 1000.
type Size int64

var units = []struct {
	name  string
	bytes float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"B", 1},
}

// UnmarshalText reads a size like "512MiB".
func (s *Size) UnmarshalText(text []byte) error {
	number, unit := strings.TrimSpace(string(text)), 1.0
	for _, u := range units {
		if rest, found := strings.CutSuffix(number, u.name); found {
			number, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if n *= unit; err != nil || math.IsNaN(n) || n < 0 || n >= math.MaxInt64 {
		return fmt.Errorf("%q is no size: write a number of bytes or one with a unit, like 512MiB", text)
	}
	*s = Size(n)
	return nil
}

// String writes the size with the largest binary unit that divides it.
func (s Size) String() string {
	for i := 3; i >= 0; i-- {
		if u := int64(units[i].bytes); s != 0 && int64(s)%u == 0 {
			return strconv.FormatInt(int64(s)/u, 10) + units[i].name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// about writes a size for people, rounded.
func about(bytes int64) string {
	u := units[0]
	for _, larger := range units[1:4] {
		if float64(bytes) >= larger.bytes {
			u = larger
		}
	}
	return fmt.Sprintf("%.1f%s", float64(bytes)/u.bytes, u.name)
}
