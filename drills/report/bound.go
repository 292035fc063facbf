package report

import "math"

// Confidence is the confidence of every bound in this package, one-sided.
const Confidence = 0.95

// UpperBound is the largest share of bad runs that k bad ones of n leave possible with
// the given confidence, one-sided and exact (Clopper and Pearson): a larger share shows k
// or fewer bad runs with a probability of less than 1-confidence. It holds for runs that
// are independent draws from one population. Nothing is known from no run, so it is 1
// for n <= 0, and for k >= n; k below 0 counts as 0. At k = 0 it is
// 1 - (1-confidence)^(1/n).
func UpperBound(k, n int, confidence float64) float64 {
	if n <= 0 || k >= n {
		return 1
	}
	// The probability of k or fewer bad runs falls as the share grows. 60 halvings leave
	// less than the resolution of a float64 near 1.
	low, high := 0.0, 1.0
	for range 60 {
		mid := (low + high) / 2
		if atMost(max(0, k), n, mid) > 1-confidence {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// atMost is the probability of k or fewer of n, each with probability p, 0 < p < 1. It
// adds logarithms up, because the terms of a thousand runs underflow.
func atMost(k, n int, p float64) float64 {
	all, _ := math.Lgamma(float64(n) + 1)
	sum := 0.0
	for i := range k + 1 {
		chosen, _ := math.Lgamma(float64(i) + 1)
		others, _ := math.Lgamma(float64(n-i) + 1)
		sum += math.Exp(all - chosen - others + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

// allows reports whether n runs say anything about the quantile q that is not a guess:
// whether the worst of them exceeds it with Confidence. That takes 5 runs for the median
// and 59 for the 95th percentile.
func allows(q float64, n int) bool { return math.Pow(q, float64(n)) <= 1-Confidence }
