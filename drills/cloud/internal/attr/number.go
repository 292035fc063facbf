package attr

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
)

// DynamoDB's numbers have up to 38 significant digits and a magnitude between
// 1E-130 and 9.99…E+125 (AWS: API reference, AttributeValue).
const (
	maxDigits   = 38
	maxExponent = 125
	minExponent = -130
)

var (
	errNotNumber = errors.New("The parameter cannot be converted to a numeric value") //nolint:staticcheck // DynamoDB's words
	errPrecision = errors.New("Attempting to store more than 38 significant digits in a Number")
	errOverflow  = errors.New("Number overflow. Attempting to store a number with magnitude larger than supported range")
	errUnderflow = errors.New("Number underflow. Attempting to store a number with magnitude smaller than supported range")
)

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

// small reads a canonical integer that fits comfortably into an int64.
func small(s string) (int64, bool) {
	if len(s) == 0 || len(s) > 18 {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// Number returns the canonical form of a decimal: no exponent, no leading and
// no trailing zeros.
func Number(s string) (string, error) {
	if n, ok := small(s); ok {
		if canonical(s) { // nearly always
			return s, nil
		}
		return formatInt(n), nil
	}
	d, err := parse(s)
	if err != nil {
		return "", err
	}
	return d.format()
}

// canonical reports whether an integer has no sign or zero too many.
func canonical(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	return digits[0] >= '1' && digits[0] <= '9' || s == "0"
}

// decimal is coef × 10^exp, with coef free of trailing zeros.
type decimal struct {
	coef *big.Int
	exp  int
}

func parse(s string) (decimal, error) {
	mantissa, exponent, hasExp := s, "", false
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent, hasExp = s[:i], s[i+1:], true
	}
	exp := 0
	if hasExp {
		if len(exponent) > 6 {
			return decimal{}, errNotNumber
		}
		var err error
		if exp, err = strconv.Atoi(exponent); err != nil {
			return decimal{}, errNotNumber
		}
	}
	sign := ""
	if mantissa != "" && (mantissa[0] == '+' || mantissa[0] == '-') {
		sign, mantissa = mantissa[:1], mantissa[1:]
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	digits := whole + frac
	if digits == "" || len(digits) > 512 || strings.Trim(digits, "0123456789") != "" {
		return decimal{}, errNotNumber
	}
	coef, ok := new(big.Int).SetString(sign+digits, 10)
	if !ok {
		return decimal{}, errNotNumber
	}
	return decimal{coef: coef, exp: exp - len(frac)}.trim(), nil
}

// trim drops trailing zeros, so that the digit count is the significant one.
func (d decimal) trim() decimal {
	if d.coef.Sign() == 0 {
		return decimal{coef: d.coef}
	}
	text := d.coef.String()
	cut := strings.TrimRight(text, "0")
	if n := len(text) - len(cut); n > 0 {
		d.coef, _ = new(big.Int).SetString(cut, 10)
		d.exp += n
	}
	return d
}

func (d decimal) format() (string, error) {
	if d.coef.Sign() == 0 {
		return "0", nil
	}
	text, sign := d.coef.String(), ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	// first is the exponent of the leading digit.
	first := len(text) - 1 + d.exp
	switch {
	case len(text) > maxDigits:
		return "", errPrecision
	case first > maxExponent:
		return "", errOverflow
	case first < minExponent:
		return "", errUnderflow
	}
	switch {
	case d.exp >= 0:
		return sign + text + strings.Repeat("0", d.exp), nil
	case first >= 0:
		point := len(text) + d.exp
		return sign + text[:point] + "." + text[point:], nil
	default:
		return sign + "0." + strings.Repeat("0", -first-1) + text, nil
	}
}

// CompareNumbers orders two canonical numbers.
func CompareNumbers(a, b string) int {
	if x, ok := small(a); ok {
		if y, ok := small(b); ok {
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		}
	}
	x, y, _ := align(a, b)
	return x.Cmp(y)
}

// Add returns a+b of two canonical numbers, or a-b when negate is set.
func Add(a, b string, negate bool) (string, error) {
	if x, ok := small(a); ok {
		if y, ok := small(b); ok {
			if negate {
				y = -y
			}
			return formatInt(x + y), nil
		}
	}
	x, y, exp := align(a, b)
	if negate {
		y.Neg(y)
	}
	return decimal{coef: x.Add(x, y), exp: exp}.trim().format()
}

// align brings two canonical numbers to one exponent. The texts were produced
// by Number, so they parse.
func align(a, b string) (x, y *big.Int, exp int) {
	p, errA := parse(a)
	q, errB := parse(b)
	if errA != nil || errB != nil {
		return new(big.Int), new(big.Int), 0
	}
	exp = min(p.exp, q.exp)
	return scale(p, exp), scale(q, exp), exp
}

func scale(d decimal, exp int) *big.Int {
	shift := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.exp-exp)), nil)
	return shift.Mul(shift, d.coef)
}
