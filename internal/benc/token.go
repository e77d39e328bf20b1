package benc

// maxIntDigits is how long an integer may be: enough for any uint64. BEP 3 sets
// no bound, but nothing that we read means more.
const maxIntDigits = 20

// stringAt reads the string that begins at b[i]: its content is b[from:to], and
// the next token begins at to. why is empty if there is such a string.
func stringAt(b []byte, i int) (from, to int, why string) {
	n, j := 0, i
	for ; j < len(b) && '0' <= b[j] && b[j] <= '9'; j++ {
		// Checked at each digit, so n cannot overflow.
		if n = n*10 + int(b[j]-'0'); n > len(b) {
			return 0, 0, "a string is longer than what is left"
		}
	}
	switch {
	case j == i && j < len(b):
		return 0, 0, whyNotString
	case j == len(b):
		return 0, 0, whyTruncated
	case b[j] != ':':
		return 0, 0, "a string length is not followed by a colon"
	case b[i] == '0' && j > i+1:
		return 0, 0, "a string length has a leading zero"
	case n > len(b)-j-1:
		return 0, 0, "a string is longer than what is left"
	}
	return j + 1, j + 1 + n, ""
}

// intEnd returns where the token after the integer at b[i] begins. b[i] is 'i'.
func intEnd(b []byte, i int) (end int, why string) {
	j := i + 1
	negative := j < len(b) && b[j] == '-'
	if negative {
		j++
	}
	first := j
	for j < len(b) && '0' <= b[j] && b[j] <= '9' {
		if j-first == maxIntDigits {
			return 0, "an integer has too many digits"
		}
		j++
	}
	switch {
	case j == len(b):
		return 0, whyTruncated
	case j == first || b[j] != 'e':
		return 0, "an integer is not made of digits"
	case b[first] == '0' && (j > first+1 || negative):
		return 0, "an integer has a leading zero or is minus zero"
	}
	return j + 1, ""
}

// skip returns the offset behind the value at b[i], or -1 if there is no whole
// value. It does not check order or limits, and neither recurses nor allocates.
func skip(b []byte, i int) int {
	for depth := 0; i < len(b); {
		var why string
		switch b[i] {
		case 'l', 'd':
			depth++
			i++
		case 'e':
			depth--
			i++
		case 'i':
			i, why = intEnd(b, i)
		default:
			_, i, why = stringAt(b, i)
		}
		if why != "" || depth < 0 {
			return -1
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}
