package remoting

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// DefaultMaxFrame is the longest frame that is read when nothing else is said:
// 64 MiB. A server checks only what it receives (16 MiB, the system property
// com.rocketmq.remoting.frameMaxLength, NettyDecoder), so its answers can be
// longer than its own limit.
const DefaultMaxFrame = 64 << 20

// readStep is how much of an announced frame is allocated ahead of its bytes:
// a forged length costs this much and no more.
const readStep = 1 << 20

// Frame is one frame as read: its header decoded, its body still in Buffer.
type Frame struct {
	Command
	Encoding Encoding
	Size     int // bytes on the wire, the length word included
}

// ReadFrame reads one frame from r. Its bytes go into buf, grown as needed,
// and the grown buffer is returned for the next call; the frame's body points
// into it. A length above limit is refused before anything is allocated. At
// the end of the stream between two frames the error is io.EOF; every error
// about the content wraps ErrMalformed.
func ReadFrame(r *bufio.Reader, buf []byte, limit int) (Frame, []byte, error) {
	word, err := r.Peek(4)
	if err != nil {
		if len(word) == 0 {
			return Frame{}, buf, err
		}
		return Frame{}, buf, fmt.Errorf("length word: %w", unexpected(err))
	}
	n := int(binary.BigEndian.Uint32(word))
	if n < 4 || n > limit {
		return Frame{}, buf, refuseLength(word, n, limit)
	}
	if _, err := r.Discard(4); err != nil {
		return Frame{}, buf, err
	}
	if buf, err = readGrowing(r, buf, n); err != nil {
		return Frame{}, buf, fmt.Errorf("frame of %d bytes cut off: %w", n, unexpected(err))
	}
	c, enc, err := Decode(buf)
	if err != nil {
		return Frame{}, buf, err
	}
	return Frame{Command: c, Encoding: enc, Size: n + 4}, buf, nil
}

// readGrowing reads n bytes into buf, and allocates at most readStep, then
// twice what has really arrived. In memory that a long frame made, the next one of
// its kind, which is a little longer, mostly has room too.
func readGrowing(r io.Reader, buf []byte, n int) ([]byte, error) {
	buf = buf[:0]
	for len(buf) < n {
		upto := min(n, max(cap(buf), readStep, 2*len(buf)))
		if upto > cap(buf) {
			size := upto
			if size > smallFrame {
				size = (size + smallFrame - 1) / smallFrame * smallFrame
			}
			grown := make([]byte, len(buf), size)
			copy(grown, buf)
			buf = grown
		}
		got, err := io.ReadFull(r, buf[len(buf):upto])
		buf = buf[:len(buf)+got]
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}

// refuseLength tells apart what else answers on a port that was taken for a
// RocketMQ node.
func refuseLength(word []byte, n, limit int) error {
	switch {
	case string(word) == "HTTP" || string(word) == "<htm" || string(word) == "<!DO":
		return fmt.Errorf("%w: the peer speaks HTTP, not RocketMQ's remoting protocol", ErrMalformed)
	case word[0] == 0x15 && word[1] == 3 || word[0] == 0x16 && word[1] == 3:
		return fmt.Errorf("%w: the peer speaks TLS, this connection does not", ErrMalformed)
	}
	return fmt.Errorf("%w: frame length %d: allowed are 4 to %d bytes", ErrMalformed, uint32(n), limit)
}

// unexpected makes an end of stream inside a frame what it is.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
