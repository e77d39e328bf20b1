package fleet

import (
	"bytes"
	"cmp"
	"strings"
)

// CompareNames is the order of all names, of hosts, groups and swarms: byte by byte, but
// numbers by their size, so that n9 is before n10. Of names that differ in the zeros before a
// number only, the bytes decide. The page's script has the same.
func CompareNames(a, b string) int {
	var roomA, roomB [2 * MaxText]byte
	keyA, keyB := appendNameKey(roomA[:0], a), appendNameKey(roomB[:0], b)
	return cmp.Or(bytes.Compare(keyA, keyB), strings.Compare(a, b))
}

// longestNumber is how many digits of a number count as its size.
const longestNumber = 255

// appendNameKey appends what is to be compared byte by byte in a name's place: before each
// number a digit, so that other characters are before and behind it as they were, and how
// many digits it has without the zeros in front.
func appendNameKey(b []byte, name string) []byte {
	for i := 0; i < len(name); {
		if !isDigit(name[i]) {
			b = append(b, name[i])
			i++
			continue
		}
		from := i
		for i < len(name) && isDigit(name[i]) {
			i++
		}
		number := strings.TrimLeft(name[from:i], "0")
		b = append(b, '0', byte(min(len(number), longestNumber)))
		b = append(b, number...)
	}
	return b
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// compareShown is CompareNames of what hosts are shown as, whose keys are known.
func compareShown(a, b *viewed) int {
	return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.shown, b.shown))
}

// keyHosts makes the keys of all hosts: in one piece of memory, for there are thousands.
func (v *View) keyHosts() {
	size := 0
	for i := range v.hosts {
		size += len(v.hosts[i].shown)
	}
	buf, ends := make([]byte, 0, size+size/2), make([]int, len(v.hosts))
	for i := range v.hosts {
		buf = appendNameKey(buf, v.hosts[i].shown)
		ends[i] = len(buf)
	}
	all, from := string(buf), 0
	for i, end := range ends {
		v.hosts[i].key = all[from:end]
		from = end
	}
}
