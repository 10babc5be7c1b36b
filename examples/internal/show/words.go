package show

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Wrap breaks text at spaces so that no line is longer than width, unless a word is.
func Wrap(text string, width int) []string {
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+1+n > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	return append(lines, line)
}

// Count writes n with commas: 1,000.
func Count[N int | uint64](n N) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Many writes n things: 1 request, 1,000 requests.
func Many[N int | uint64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Count(n) + " " + thing + "s"
}

// Money writes cents as 1,234.50.
func Money(cents int) string { return fmt.Sprintf("%s.%02d", Count(cents/100), cents%100) }

// Seconds writes a duration as 1.5 s.
func Seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// Millis writes a duration as 13 ms.
func Millis(d time.Duration) string {
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}
