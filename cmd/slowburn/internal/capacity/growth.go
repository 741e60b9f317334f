package capacity

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Growth is by how much a load is multiplied in a month. It implements pflag.Value.
type Growth float64

// monthsIn are the periods of a growth, in months.
var monthsIn = map[string]float64{"week": 12.0 / 52, "month": 1, "quarter": 3, "year": 12}

// Set reads a growth like 10%/month.
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

// String is the growth as Set reads it.
func (g *Growth) String() string {
	return strconv.FormatFloat((float64(*g)-1)*100, 'g', 4, 64) + "%/month"
}

// Type is what help calls a growth.
func (*Growth) Type() string { return "growth" }

// After is a rate that has grown for so many months.
func (g *Growth) After(rate float64, months int) float64 {
	return rate * math.Pow(float64(*g), float64(months))
}

// Share is a part of a whole, 0 to 1, that is written in percent. It implements pflag.Value.
type Share float64

// Set reads a share like 3%.
func (s *Share) Set(text string) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	n, err := strconv.ParseFloat(number, 64)
	if !percent || err != nil || !(n >= 0 && n <= 100) {
		return fmt.Errorf("%q is no share: write percent, like 3%%", text)
	}
	*s = Share(n / 100)
	return nil
}

// String is the share as Set reads it.
func (s *Share) String() string { return strconv.FormatFloat(float64(*s)*100, 'g', 6, 64) + "%" }

// Type is what help calls a share.
func (*Share) Type() string { return "percent" }
