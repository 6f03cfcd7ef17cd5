package remoting

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner walks fastjson's dialect of JSON in one pass and builds nothing.
// Besides JSON it takes what RocketMQ's bodies hold: a bare number or a whole
// object as the key of a map, null or quoted text where a number belongs, raw
// control characters in text. The first failure sticks with its position;
// from then on every call returns at once with a zero value.
type scanner struct {
	data []byte
	pos  int
	err  error

	begun, inTable, first bool // of entry
}

// maxDepth bounds the nesting of a value that is skipped.
const maxDepth = 256

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("%w: byte %d: %s", ErrMalformed, s.pos, fmt.Sprintf(format, args...))
	}
}

// found shows what stands at the position, for messages.
func (s *scanner) found() string {
	if s.pos >= len(s.data) {
		return "the end"
	}
	return strconv.Quote(string(s.data[s.pos:min(len(s.data), s.pos+12)]))
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek is the next byte that is not white space, 0 at the end and after a
// failure.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) && s.data[s.pos] > ' ' && s.err == nil {
		return s.data[s.pos]
	}
	return s.peekBeyondSpace()
}

func (s *scanner) peekBeyondSpace() byte {
	s.space()
	if s.err != nil || s.pos >= len(s.data) {
		return 0
	}
	return s.data[s.pos]
}

// literal takes exactly these bytes if they stand next. With it the decoders
// guess the layout that brokers write (no white space, keys in alphabetical
// order) and fall back to the general way where the guess fails.
func (s *scanner) literal(want string) bool {
	if end := s.pos + len(want); end <= len(s.data) && string(s.data[s.pos:end]) == want {
		s.pos = end
		return true
	}
	return false
}

// member takes a literal and the integer behind it.
func (s *scanner) member(want string, v *int64) bool {
	if !s.literal(want) {
		return false
	}
	*v = s.int64()
	return s.err == nil
}

// enter takes the opening byte of an object or array.
func (s *scanner) enter(open byte) bool {
	if s.peek() != open {
		s.fail("want %q, found %s", open, s.found())
		return false
	}
	s.pos++
	return true
}

// more says whether another entry follows before the closing byte, and takes
// the comma or the closing byte.
func (s *scanner) more(end byte, first bool) bool {
	if s.err != nil {
		return false
	}
	switch c := s.peek(); {
	case c == end:
		s.pos++
		return false
	case first:
		if c == 0 {
			s.fail("want an entry or %q, found %s", end, s.found())
			return false
		}
		return true
	case c == ',':
		s.pos++
		return true
	}
	s.fail("want ',' or %q, found %s", end, s.found())
	return false
}

// key takes the key of a map and its colon: text, or the digits of a bare
// number. The bytes are a part of the input unless the text had escapes.
func (s *scanner) key() []byte {
	var k []byte
	if s.peek() == '"' {
		k = s.text()
	} else {
		k = s.word()
	}
	s.colon()
	return k
}

func (s *scanner) colon() {
	if s.peek() != ':' {
		s.fail("want ':', found %s", s.found())
		return
	}
	s.pos++
}

// word takes a run of letters, digits and signs: a number, null, true, NaN.
func (s *scanner) word() []byte {
	s.space()
	if s.err != nil {
		return nil
	}
	start := s.pos
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '+' || c == '.' || c == '_' {
			s.pos++
			continue
		}
		break
	}
	if s.pos == start {
		s.fail("want a value, found %s", s.found())
		return nil
	}
	return s.data[start:s.pos]
}

// null takes the word null if it stands next.
func (s *scanner) null() bool {
	if s.peek() == 'n' && bytes.HasPrefix(s.data[s.pos:], []byte("null")) {
		s.pos += 4
		return true
	}
	return false
}

// text takes quoted text; null counts as empty, a bare word as its letters.
func (s *scanner) text() []byte {
	if c := s.peek(); c != '"' {
		if c == '{' || c == '[' {
			s.fail("want text, found %s", s.found())
			return nil
		}
		if w := s.word(); string(w) != "null" {
			return w
		}
		return nil
	}
	s.pos++
	start := s.pos
	for i := start; i < len(s.data); i++ {
		switch s.data[i] {
		case '"':
			s.pos = i + 1
			return s.data[start:i:i]
		case '\\':
			return s.escapedText()
		}
	}
	s.fail("text without an end")
	return nil
}

func (s *scanner) escapedText() []byte {
	var out []byte
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		s.pos++
		switch c {
		case '"':
			return out
		case '\\':
			out = s.escape(out)
			if s.err != nil {
				return nil
			}
		default:
			out = append(out, c)
		}
	}
	s.fail("text without an end")
	return nil
}

func (s *scanner) escape(out []byte) []byte {
	if s.pos >= len(s.data) {
		s.fail("text without an end")
		return nil
	}
	c := s.data[s.pos]
	s.pos++
	switch c {
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'v': // fastjson writes it, JSON does not know it
		return append(out, '\v')
	case 'u':
		return utf8.AppendRune(out, s.escapedRune())
	}
	return append(out, c)
}

// escapedRune takes the digits behind \u, and a second \u where the two are
// one character. Half a pair counts as U+FFFD, as everywhere in Go.
func (s *scanner) escapedRune() rune {
	r := s.hex4()
	if !utf16.IsSurrogate(r) || !s.literal(`\u`) {
		return r
	}
	second := s.pos
	if pair := utf16.DecodeRune(r, s.hex4()); pair != utf8.RuneError {
		return pair
	}
	s.pos = second - len(`\u`) // a character of its own
	return utf8.RuneError
}

func (s *scanner) hex4() rune {
	if s.pos+4 > len(s.data) {
		s.fail("\\u wants four hexadecimal digits")
		return 0
	}
	v, err := strconv.ParseUint(string(s.data[s.pos:s.pos+4]), 16, 32)
	if err != nil {
		s.fail("\\u wants four hexadecimal digits, found %s", s.found())
		return 0
	}
	s.pos += 4
	return rune(v)
}

// int64 takes an integer. null counts as 0, as RocketMQ writes it for a value
// that it does not have; quoted digits and decimals are taken, the latter cut
// to whole numbers.
func (s *scanner) int64() int64 {
	s.space()
	if s.err != nil {
		return 0
	}
	start, neg := s.pos, false
	if start < len(s.data) && s.data[start] == '-' {
		neg = true
		start++
	}
	v, i := digits(s.data, start)
	// The common case ends here: at most 18 digits cannot overflow. A
	// longer or an odd number takes the slow way from its beginning.
	if i > start && (i == len(s.data) || isBreak(s.data[i])) {
		s.pos = i
		if neg {
			return -v
		}
		return v
	}
	return s.oddInt64()
}

// digits reads at most 18 digits from i, and says where they end.
func digits(data []byte, i int) (v int64, end int) {
	for limit := min(len(data), i+18); i < limit && data[i]-'0' <= 9; i++ {
		v = v*10 + int64(data[i]-'0')
	}
	return v, i
}

func isBreak(c byte) bool {
	switch c {
	case ',', '}', ']', ':', ' ', '\t', '\n', '\r':
		return true
	}
	return false
}

func (s *scanner) oddInt64() int64 {
	at := s.pos
	var w []byte
	if s.peek() == '"' {
		w = s.text()
	} else {
		w = s.word()
	}
	if s.err != nil || string(w) == "null" || len(w) == 0 {
		return 0
	}
	v, err := strconv.ParseInt(string(w), 10, 64)
	if err == nil {
		return v
	}
	f, notFloat := strconv.ParseFloat(string(w), 64)
	if errors.Is(err, strconv.ErrRange) || notFloat != nil || math.IsNaN(f) || f < math.MinInt64 || f >= math.MaxInt64 {
		s.pos = at
		s.fail("want a whole number of 64 bits, found %s", s.found())
		return 0
	}
	return int64(f)
}

// int32 takes an integer of 32 bits.
func (s *scanner) int32() int32 {
	at := s.pos
	v := s.int64()
	if v < math.MinInt32 || v > math.MaxInt32 {
		s.pos = at
		s.fail("want a whole number of 32 bits, found %s", s.found())
		return 0
	}
	return int32(v)
}

// bool takes true or false; null counts as false.
func (s *scanner) bool() bool {
	at := s.pos
	switch string(s.text()) {
	case "true":
		return true
	case "false", "":
		return false
	}
	s.pos = at
	s.fail("want true or false, found %s", s.found())
	return false
}

// skip passes over one value of any kind. Its inside is checked only as far as
// brackets and text go: what is not read cannot cost what is.
func (s *scanner) skip() {
	switch s.peek() {
	case 0:
		s.fail("want a value, found %s", s.found())
	case '"':
		s.skipText()
	case '{', '[':
		s.skipNested()
	default:
		s.word()
	}
}

// skipNested passes over an object or an array.
func (s *scanner) skipNested() {
	start, depth := s.pos, 0
	for s.err == nil && s.pos < len(s.data) {
		switch s.data[s.pos] {
		case '"':
			s.skipText()
			continue
		case '{', '[':
			if depth++; depth > maxDepth {
				s.fail("nested deeper than %d", maxDepth)
				return
			}
		case '}', ']':
			depth--
		}
		s.pos++
		if depth == 0 {
			return
		}
	}
	if s.err == nil {
		s.pos = start
		s.fail("value without an end: %s", s.found())
	}
}

// skipTable is skipNested for what may be large.
func (s *scanner) skipTable() {
	start, depth := s.pos, 0
	for s.err == nil {
		if s.pos = nextBracket(s.data, s.pos); s.pos == len(s.data) {
			s.pos = start
			s.fail("value without an end: %s", s.found())
			return
		}
		switch s.data[s.pos] {
		case '"':
			s.skipText()
			continue
		case '{', '[':
			if depth++; depth > maxDepth {
				s.fail("nested deeper than %d", maxDepth)
				return
			}
		default:
			depth--
		}
		s.pos++
		if depth == 0 {
			return
		}
	}
}

func (s *scanner) skipText() {
	s.pos++
	for {
		n := bytes.IndexByte(s.data[s.pos:], '"')
		if n < 0 {
			s.fail("text without an end")
			return
		}
		end := s.pos + n
		slashes := 0
		for end-1-slashes >= s.pos && s.data[end-1-slashes] == '\\' {
			slashes++
		}
		s.pos = end + 1
		if slashes%2 == 0 {
			return
		}
	}
}

// end checks that nothing follows and returns the first failure.
func (s *scanner) end() error {
	if s.peek(); s.err == nil && s.pos < len(s.data) {
		s.fail("want the end, found %s", s.found())
	}
	return s.err
}

// cutText cuts text to at most n bytes, and not inside a character.
func cutText[T string | []byte](text T, n int) T {
	if len(text) <= n {
		return text
	}
	for i := n; i > max(0, n-utf8.UTFMax); i-- {
		if utf8.RuneStart(text[i]) {
			return text[:i]
		}
	}
	return text[:n]
}

// AppendJSONString appends text quoted as JSON, as fastjson would read it back.
func AppendJSONString(dst []byte, text string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	plain := 0 // where the text begins that is not yet appended
	for i := range len(text) {
		c := text[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[plain:i]...)
		plain = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, text[plain:]...)
	return append(dst, '"')
}
