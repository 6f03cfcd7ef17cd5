package fakemq

import (
	"math"
	"strconv"
	"strings"
)

// The helpers of this file append pieces of fastjson's dialect. Answers that
// are asked for in bulk are put together from them without maps, reflection or
// allocation.

func appendInt(dst []byte, key string, v int64) []byte {
	return strconv.AppendInt(append(dst, key...), v, 10)
}

// appendDouble writes a double as Java's Double.toString does: always with a
// decimal point, with an exponent from ten million on and below a thousandth.
func appendDouble(dst []byte, key string, v float64) []byte {
	dst = append(dst, key...)
	if abs := math.Abs(v); abs < 1e7 && (abs >= 1e-3 || abs == 0) {
		return append(dst, withPoint(strconv.FormatFloat(v, 'f', -1, 64))...)
	}
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'E', -1, 64), "E")
	power, _ := strconv.Atoi(exponent)
	return appendInt(append(dst, withPoint(digits)...), "E", int64(power))
}

func withPoint(digits string) string {
	if strings.Contains(digits, ".") {
		return digits
	}
	return digits + ".0"
}

// appendQueueKey opens a map entry whose key is a queue: the object, the colon.
func appendQueueKey(dst []byte, t *brokerTopic, queue int) []byte {
	return append(appendQueue(dst, t, queue), ':')
}

func appendQueue(dst []byte, t *brokerTopic, queue int) []byte {
	dst = append(dst, `{"brokerName":`...)
	dst = append(dst, t.broker.quoted...)
	dst = appendInt(dst, `,"queueId":`, int64(queue))
	dst = append(dst, `,"topic":`...)
	dst = append(dst, t.quoted...)
	return append(dst, '}')
}

// appendVersion writes a DataVersion with its key and a comma.
func appendVersion(dst []byte, key string, v dataVersion, five bool) []byte {
	dst = append(dst, '"')
	dst = append(dst, key...)
	dst = appendInt(dst, `":{"counter":`, v.counter)
	if five {
		dst = append(dst, `,"stateVersion":0`...)
	}
	dst = appendInt(dst, `,"timestamp":`, v.at)
	return append(dst, "},"...)
}

// list puts commas between entries.
type list struct{ begun bool }

func (l *list) next(dst []byte) []byte {
	if l.begun {
		return append(dst, ',')
	}
	l.begun = true
	return dst
}

// appendStrings writes an array of names.
func appendStrings(dst []byte, names []string) []byte {
	dst = append(dst, '[')
	var l list
	for _, name := range names {
		dst = l.next(dst)
		dst = append(dst, quote(name)...)
	}
	return append(dst, ']')
}
