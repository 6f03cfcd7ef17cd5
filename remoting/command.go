package remoting

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Encoding is how a command's header is written: the serialize type in the top
// byte of the frame's second word (SerializeType in RocketMQ).
type Encoding uint8

// The two header encodings. A server reads both and answers in its own,
// whatever the request used.
const (
	JSONHeader   Encoding = 0
	BinaryHeader Encoding = 1 // SerializeType.ROCKETMQ
)

// Language is the sender's language (LanguageCode in RocketMQ), a name in the
// JSON header and a number in the binary one.
type Language int8

// The languages that a command of this module carries. Others are kept as they
// came.
const (
	LanguageJava  Language = 0
	LanguageOther Language = 7
	LanguageGo    Language = 9
)

// String is the name in the JSON header.
func (l Language) String() string {
	names := [...]string{
		"JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY",
		"OTHER", "HTTP", "GO", "PHP", "OMS", "RUST", "NODE_JS",
	}
	if l < 0 || int(l) >= len(names) {
		return "OTHER"
	}
	return names[l]
}

func parseLanguage(name []byte) Language {
	for l := LanguageJava; l <= 13; l++ {
		if l.String() == string(name) {
			return l
		}
	}
	return LanguageOther
}

// The bits of Command.Flag.
const (
	FlagResponse = 1 << 0
	FlagOneway   = 1 << 1
)

// ClientVersion is the version ordinal (MQVersion) that this package's client
// sends: 5.0.0, which every server of 4.x and 5.x takes.
const ClientVersion = 413

// Field is one entry of a command's ext fields: a parameter of the request or
// of the answer. Every value is text on the wire.
type Field struct{ Key, Value string }

// Command is one frame: a request or an answer (RemotingCommand in RocketMQ).
type Command struct {
	Code     int32 // a RequestCode or a ResponseCode, as IsResponse tells
	Language Language
	Version  int32 // version ordinal of the sender (MQVersion)
	Opaque   int32 // ties an answer to its request
	Flag     int32
	Remark   string  // the sender's words, mostly an error
	Fields   []Field // in the order of the wire
	Body     []byte
}

// IsResponse says whether the frame answers a request.
func (c *Command) IsResponse() bool { return c.Flag&FlagResponse != 0 }

// IsOneway says whether the sender wants no answer.
func (c *Command) IsOneway() bool { return c.Flag&FlagOneway != 0 }

// Field is the value of an ext field, and whether it is there.
func (c *Command) Field(key string) (string, bool) {
	for _, f := range c.Fields {
		if f.Key == key {
			return f.Value, true
		}
	}
	return "", false
}

// The limits of a header. The length word leaves 24 bits for a header; real
// ones are far smaller, but for a request that lists very many topics.
const (
	maxHeader = 1<<24 - 1
	// maxRemark bounds what is kept of a server's words: a Java stack trace
	// must not become a log line or an error of a megabyte.
	maxRemark = 4096
)

// ErrMalformed is wrapped by every error about bytes that are not a frame, a
// header or a body as RocketMQ writes them.
var ErrMalformed = errors.New("malformed")

// Append appends the command as one frame, the length word included.
func (c *Command) Append(dst []byte, enc Encoding) ([]byte, error) {
	start := len(dst)
	dst = append(slices.Grow(dst, c.roughSize()), 0, 0, 0, 0, 0, 0, 0, 0)
	var err error
	switch enc {
	case JSONHeader:
		dst = c.appendJSONHeader(dst)
	case BinaryHeader:
		if dst, err = c.appendBinaryHeader(dst); err != nil {
			return dst[:start], err
		}
	default:
		return dst[:start], fmt.Errorf("header encoding %d: allowed are %d (JSON) and %d (ROCKETMQ)", enc, JSONHeader, BinaryHeader)
	}
	header := len(dst) - start - 8
	if header > maxHeader {
		return dst[:start], fmt.Errorf("header of %d bytes: at most %d fit into a frame", header, maxHeader)
	}
	total := 4 + header + len(c.Body)
	if total > math.MaxInt32 {
		return dst[:start], fmt.Errorf("frame of %d bytes: at most %d", total, math.MaxInt32)
	}
	binary.BigEndian.PutUint32(dst[start:], uint32(total))
	binary.BigEndian.PutUint32(dst[start+4:], uint32(enc)<<24|uint32(header))
	return append(dst, c.Body...), nil
}

// roughSize is about the size of the frame: a list of topics makes it long.
func (c *Command) roughSize() int {
	const words = 160 // those that every header has
	n := words + len(c.Remark) + len(c.Body)
	for _, f := range c.Fields {
		n += len(f.Key) + len(f.Value) + len(`"":"",`)
	}
	return n
}

func (c *Command) appendJSONHeader(dst []byte) []byte {
	dst = append(dst, `{"code":`...)
	dst = strconv.AppendInt(dst, int64(c.Code), 10)
	dst = append(dst, `,"flag":`...)
	dst = strconv.AppendInt(dst, int64(c.Flag), 10)
	dst = append(dst, `,"language":"`...)
	dst = append(dst, c.Language.String()...)
	dst = append(dst, `","opaque":`...)
	dst = strconv.AppendInt(dst, int64(c.Opaque), 10)
	dst = append(dst, `,"serializeTypeCurrentRPC":"JSON","version":`...)
	dst = strconv.AppendInt(dst, int64(c.Version), 10)
	if c.Remark != "" {
		dst = append(dst, `,"remark":`...)
		dst = AppendJSONString(dst, c.Remark)
	}
	if len(c.Fields) > 0 {
		dst = append(dst, `,"extFields":{`...)
		for i, f := range c.Fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendJSONString(dst, f.Key)
			dst = append(dst, ':')
			dst = AppendJSONString(dst, f.Value)
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// appendBinaryHeader follows RocketMQSerializable.rocketMQProtocolEncode: the
// code has two bytes there, so codes above 32767 cannot be sent that way.
func (c *Command) appendBinaryHeader(dst []byte) ([]byte, error) {
	if c.Code < math.MinInt16 || c.Code > math.MaxInt16 {
		return dst, fmt.Errorf("code %d does not fit the two bytes of a binary header", c.Code)
	}
	if c.Version < math.MinInt16 || c.Version > math.MaxInt16 {
		return dst, fmt.Errorf("version %d does not fit the two bytes of a binary header", c.Version)
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(c.Code))
	dst = append(dst, byte(c.Language))
	dst = binary.BigEndian.AppendUint16(dst, uint16(c.Version))
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.Opaque))
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.Flag))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(c.Remark)))
	dst = append(dst, c.Remark...)
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for _, f := range c.Fields {
		if len(f.Key) > math.MaxInt16 {
			return dst, fmt.Errorf("ext field name of %d bytes: at most %d", len(f.Key), math.MaxInt16)
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(f.Key)))
		dst = append(dst, f.Key...)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(f.Value)))
		dst = append(dst, f.Value...)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst, nil
}

// Decode reads one frame without its length word. The body is a part of frame,
// not a copy. Every failure wraps ErrMalformed.
func Decode(frame []byte) (Command, Encoding, error) {
	if len(frame) < 4 {
		return Command{}, 0, fmt.Errorf("%w: frame of %d bytes has no header word", ErrMalformed, len(frame))
	}
	enc, size, err := splitHeaderWord(binary.BigEndian.Uint32(frame), len(frame))
	if err != nil {
		return Command{}, 0, err
	}
	c, err := decodeHeader(frame[4:4+size], enc)
	if err != nil {
		return Command{}, 0, err
	}
	c.Body = frame[4+size:]
	return c, enc, nil
}

// splitHeaderWord checks the word behind the length against the frame's
// length (the length word's own value).
func splitHeaderWord(word uint32, frame int) (Encoding, int, error) {
	enc, size := Encoding(word>>24), int(word&maxHeader)
	if enc != JSONHeader && enc != BinaryHeader {
		return 0, 0, fmt.Errorf("%w: header encoding %d: known are %d (JSON) and %d (ROCKETMQ)", ErrMalformed, enc, JSONHeader, BinaryHeader)
	}
	if size > frame-4 {
		return 0, 0, fmt.Errorf("%w: header of %d bytes in a frame of %d", ErrMalformed, size, frame)
	}
	return enc, size, nil
}

func decodeHeader(b []byte, enc Encoding) (Command, error) {
	if enc == BinaryHeader {
		return decodeBinaryHeader(b)
	}
	return decodeJSONHeader(b)
}

func decodeJSONHeader(b []byte) (Command, error) {
	c := Command{Language: LanguageOther}
	s := scanner{data: b}
	s.enter('{')
	for first := true; s.more('}', first); first = false {
		switch string(s.key()) {
		case "code":
			c.Code = s.int32()
		case "flag":
			c.Flag = s.int32()
		case "language":
			c.Language = parseLanguage(s.text())
		case "opaque":
			c.Opaque = s.int32()
		case "version":
			c.Version = s.int32()
		case "remark":
			c.Remark = string(cutText(s.text(), maxRemark))
		case "extFields":
			c.Fields = s.fields()
		default:
			s.skip()
		}
	}
	if err := s.end(); err != nil {
		return Command{}, fmt.Errorf("header: %w", err)
	}
	return c, nil
}

func (s *scanner) fields() []Field {
	if s.null() || !s.enter('{') {
		return nil
	}
	var fields []Field
	for first := true; s.more('}', first); first = false {
		key := string(s.key())
		fields = append(fields, Field{key, string(s.text())})
	}
	return fields
}

func decodeBinaryHeader(b []byte) (Command, error) {
	r := reader{b: b}
	c := Command{
		Code:     int32(int16(r.uint16())),
		Language: Language(r.uint8()),
		Version:  int32(int16(r.uint16())),
		Opaque:   int32(r.uint32()),
		Flag:     int32(r.uint32()),
		Remark:   string(cutText(r.bytes(int(int32(r.uint32()))), maxRemark)),
	}
	ext := reader{b: r.bytes(int(int32(r.uint32())))}
	for ext.err == nil && r.err == nil && len(ext.b) > 0 {
		key := string(ext.bytes(int(int16(ext.uint16()))))
		value := string(ext.bytes(int(int32(ext.uint32()))))
		c.Fields = append(c.Fields, Field{key, value})
	}
	if r.err == nil {
		r.err = ext.err
	}
	if r.err == nil && len(r.b) > 0 {
		r.err = fmt.Errorf("%w: %d bytes behind the last field", ErrMalformed, len(r.b))
	}
	if r.err != nil {
		return Command{}, fmt.Errorf("binary header: %w", r.err)
	}
	return c, nil
}

// reader takes fixed-size numbers from a slice. The first failure sticks, so
// that a caller decodes straight through and looks at err once.
type reader struct {
	b   []byte
	err error
}

func (r *reader) bytes(n int) []byte {
	if r.err == nil && (n < 0 || n > len(r.b)) {
		r.err = fmt.Errorf("%w: %d bytes wanted, %d left", ErrMalformed, n, len(r.b))
	}
	if r.err != nil {
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) uint8() uint8 {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.bytes(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}
