// Package accrual says how suspicious a silence is, from the intervals between earlier arrivals: the φ of accrual failure detection
// (Hayashibara et al., 2004). φ is −log10 of the probability that an interval is at least as long: 1 is one in ten, 8 one in a hundred
// million. It has no state and no clock.
//
// The paper takes intervals as normally distributed. Here they are gamma distributed with the same mean and variance: that is close
// to a normal distribution where traffic is regular, and exponential where requests come independently, whose long intervals a normal
// distribution would take for failures.
package accrual

import "math"

const (
	// minDeviation is the least standard deviation, in minutes: arrivals are known to the minute.
	minDeviation = 0.5
	// minVariation is the least standard deviation as a share of the mean: even a timer is a little late now and then.
	minVariation = 0.1
	// MinIntervals is how many intervals it takes to know anything.
	MinIntervals = 5
)

// Phi returns how suspicious a silence of some minutes is after intervals of these lengths. It returns false if there are too few.
func Phi(intervals []float64, silence float64) (float64, bool) {
	if len(intervals) < MinIntervals {
		return 0, false
	}
	mean, deviation := moments(intervals)
	deviation *= 1 + 2/math.Sqrt(2*float64(len(intervals))) // two standard errors above, so that a few even intervals prove little
	deviation = max(deviation, minDeviation, minVariation*mean)
	shape := mean * mean / (deviation * deviation)
	return -log10Above(shape, silence*shape/mean), true
}

// moments returns the mean and the standard deviation.
func moments(list []float64) (mean, deviation float64) {
	for _, v := range list {
		mean += v / float64(len(list))
	}
	var squares float64
	for _, v := range list {
		squares += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(squares / float64(len(list)-1))
}

// log10Above returns log10 of the probability that a gamma variate with scale 1 exceeds x: the regularized upper incomplete gamma
// function. It works in logarithms, as the probability itself may be below the smallest float64.
func log10Above(shape, x float64) float64 {
	if x <= 0 {
		return 0
	}
	lgamma, _ := math.Lgamma(shape)
	front := -x + shape*math.Log(x) - lgamma
	const steps, exact = 10_000, 1e-14
	if x < shape+1 { // the series of the lower function
		term := 1 / shape
		sum := term
		for n := 1; n < steps && term > exact*sum; n++ {
			term *= x / (shape + float64(n))
			sum += term
		}
		return math.Log10(max(1-sum*math.Exp(front), math.SmallestNonzeroFloat64))
	}
	// The continued fraction of the upper function, by Lentz's method.
	b := x + 1 - shape
	c, d := math.Inf(1), 1/b
	h := d
	for n := 1; n < steps; n++ {
		a := -float64(n) * (float64(n) - shape)
		b += 2
		d = 1 / (a*d + b)
		c = b + a/c
		h *= c * d
		if math.Abs(c*d-1) < exact {
			break
		}
	}
	return (front + math.Log(h)) / math.Ln10
}
