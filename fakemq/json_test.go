package fakemq

import (
	"testing"
)

// The wanted texts are what Java's Double.toString makes of the numbers.
func TestDoublesAsJavaWritesThem(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.0", 1: "1.0", -2.5: "-2.5", 170.96666666666667: "170.96666666666667", 0.001: "0.001",
		9999999: "9999999.0", 1e7: "1.0E7", 12345678.5: "1.23456785E7", 0.00012: "1.2E-4",
	} {
		if got := string(appendDouble(nil, "", v)); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}
