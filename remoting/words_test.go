package remoting

import (
	"bytes"
	"testing"
)

func FuzzNextBracket(f *testing.F) {
	f.Add([]byte(`{"offsetTable":{"orders@billing":{0:127,1:33}},"dataVersion":{"counter":[1,2]}}`))
	f.Add(bytes.Repeat([]byte{0x00, 0x01, 0x21, 0x23, 0x5a, 0x5c, 0x7a, 0x7c, 0x80, 0xa2, 0xdb, 0xff}, 3))
	f.Fuzz(func(t *testing.T, data []byte) {
		for i := range len(data) + 1 {
			want := len(data)
			if n := bytes.IndexAny(data[i:], `"{}[]`); n >= 0 {
				want = i + n
			}
			if got := nextBracket(data, i); got != want {
				t.Fatalf("of %q from %d on: %d, want %d", data, i, got, want)
			}
		}
	})
}

func FuzzManyDigits(f *testing.F) {
	for _, text := range []string{"", "7", "12345678", "123456789,", "999999999999999999", "1234567890123456789}", "12a45678", "1234567:", ":;<=>?@0", "\xb0\xb1\x80\x00", "//////00"} {
		f.Add([]byte(text))
		f.Add(append([]byte(text), "and more behind it"...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for i := range len(data) + 1 {
			want, wantEnd := digits(data, i)
			if got, end := manyDigits(data, i); got != want || end != wantEnd {
				t.Fatalf("of %q from %d on: %d up to %d, want %d up to %d", data, i, got, end, want, wantEnd)
			}
		}
	})
}
