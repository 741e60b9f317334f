package capacity

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Growth is the factor by which a load grows in a month. It implements pflag.Value.
type Growth float64

// monthsIn has the length of each period in months.
var monthsIn = map[string]float64{"week": 12.0 / 52, "month": 1, "quarter": 3, "year": 12}

// Set parses a growth such as 10%/month.
func (g *Growth) Set(text string) error {
	share, period, _ := strings.Cut(strings.TrimSpace(text), "/")
	months, known := monthsIn[strings.TrimSpace(period)]
	share, percent := strings.CutSuffix(strings.TrimSpace(share), "%")
	n, err := strconv.ParseFloat(share, 64)
	if !known || !percent || err != nil || !(n > -100 && n <= 1000) {
		return fmt.Errorf("%q is no growth: write percent per week, month, quarter or year, like 10%%/month", text)
	}
	*g = Growth(math.Pow(1+n/100, 1/months))
	return nil
}

// String returns the growth in the format of Set.
func (g *Growth) String() string {
	return strconv.FormatFloat((float64(*g)-1)*100, 'g', 4, 64) + "%/month"
}

// Type returns the name of the type for help texts.
func (*Growth) Type() string { return "growth" }

// After returns a rate after so many months of growth.
func (g *Growth) After(rate float64, months int) float64 {
	return rate * math.Pow(float64(*g), float64(months))
}

// Share is a share from 0 to 1 that is written in percent. It implements pflag.Value.
type Share float64

// Set parses a share such as 3%.
func (s *Share) Set(text string) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	n, err := strconv.ParseFloat(number, 64)
	if !percent || err != nil || !(n >= 0 && n <= 100) {
		return fmt.Errorf("%q is no share: write percent, like 3%%", text)
	}
	*s = Share(n / 100)
	return nil
}

// String returns the share in the format of Set.
func (s *Share) String() string { return strconv.FormatFloat(float64(*s)*100, 'g', 6, 64) + "%" }

// Type returns the name of the type for help texts.
func (*Share) Type() string { return "percent" }
