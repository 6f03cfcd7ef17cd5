package realmq

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"time"
)

// Request codes of RocketMQ (RequestCode).
const (
	codeGetAllConsumerOffset = 43
	codeGetClusterInfo       = 106
)

// request sends one request of RocketMQ's remoting protocol on a connection of
// its own and returns the body of the answer. It knows as much of the protocol
// as this package needs for what no admin client of every version offers.
func (c *Cluster) request(ctx context.Context, address string, code int) ([]byte, error) {
	body, err := c.roundTrip(ctx, address, code)
	if err != nil {
		return nil, fmt.Errorf("request %d to %s: %w", code, address, err)
	}
	return body, nil
}

func (c *Cluster) roundTrip(ctx context.Context, address string, code int) ([]byte, error) {
	conn, err := c.options.dial(ctx, address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })
	defer stop()

	// Frame: length of the rest, length of the header (top byte 0: JSON), header, body.
	header := fmt.Appendf(nil, `{"code":%d,"language":"JAVA","version":0,"opaque":1,"flag":0}`, code)
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(header)))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(header)))
	if _, err := conn.Write(append(frame, header...)); err != nil {
		return nil, err
	}
	var lengths struct{ Frame, Header uint32 }
	if err := binary.Read(conn, binary.BigEndian, &lengths); err != nil {
		return nil, err
	}
	if lengths.Header > 1<<20 || lengths.Frame > 1<<30 || lengths.Frame < lengths.Header+4 {
		return nil, fmt.Errorf("answer of %d bytes with a header of %d bytes", lengths.Frame, lengths.Header)
	}
	rest := make([]byte, lengths.Frame-4)
	if _, err := io.ReadFull(conn, rest); err != nil {
		return nil, err
	}
	var answer struct {
		Code   int
		Remark string
	}
	if err := json.Unmarshal(rest[:lengths.Header], &answer); err != nil {
		return nil, fmt.Errorf("header of the answer: %w", err)
	}
	if answer.Code != 0 {
		return nil, fmt.Errorf("answer code %d: %s", answer.Code, answer.Remark)
	}
	return rest[lengths.Header:], nil
}

// checkRegistered says whether a name server lists a broker by its address.
func (c *Cluster) checkRegistered(ctx context.Context, nameServer, broker string) error {
	body, err := c.request(ctx, nameServer, codeGetClusterInfo)
	if err != nil {
		return err
	}
	if !bytes.Contains(body, fmt.Appendf(nil, "%q", broker)) {
		return fmt.Errorf("name server %s does not list broker %s yet", nameServer, broker)
	}
	return nil
}

// integerKey matches the bare integers that RocketMQ's JSON has as object keys.
// Names of topics and groups have none of the characters that it looks for.
var integerKey = regexp.MustCompile(`([{,])(-?\d+):`)

// Commits returns the offsets that groups have committed at a broker, by
// "topic@group" and queue, as the broker holds them in memory
// (ConsumerOffsetManager). Unlike ConsumeStats and mqadmin it tells a queue
// that was never committed, which is missing, from one committed at 0. It asks
// without credentials, which a broker with access control refuses.
func (c *Cluster) Commits(ctx context.Context, broker string) (map[string]map[int]int64, error) {
	server, err := c.broker(broker)
	if err != nil {
		return nil, err
	}
	body, err := c.request(ctx, server.Addr(), codeGetAllConsumerOffset)
	if err != nil {
		return nil, fmt.Errorf("commits at broker %s: %w", broker, err)
	}
	var table struct {
		OffsetTable map[string]map[int]int64
	}
	if err := json.Unmarshal(integerKey.ReplaceAll(body, []byte(`$1"$2":`)), &table); err != nil {
		return nil, fmt.Errorf("commits at broker %s: %w", broker, err)
	}
	return table.OffsetTable, nil
}
