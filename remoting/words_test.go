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
