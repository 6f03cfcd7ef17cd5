package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// decoder reads an answer as it comes: an answer of 64 MiB must not become a
// multiple of it in memory, so lists are read entry by entry and counted.
type decoder struct {
	json   *json.Decoder
	odd    int               // entries left out because they made no sense
	queues int               // that cells have room for
	names  map[string]string // one copy of names that an answer repeats
}

func newDecoder(r io.Reader) *decoder {
	return &decoder{json: json.NewDecoder(r), names: make(map[string]string)}
}

// Bounds of what is believed.
const (
	maxClusters  = 64
	maxBrokers   = 4096
	maxProcesses = 16 // of one broker name
	maxTopics    = 1 << 18
	maxGroups    = 1 << 17
	maxClients   = 1 << 16 // of one group
	maxQueues    = 1 << 16 // of one topic on one broker
	maxRows      = 1 << 20 // of one answer
	maxWidth     = 1 << 20 // queues that the cells of one answer have room for
	maxHeld      = 1 << 23 // ... and those of all groups
	maxName      = 1024    // bytes; RocketMQ allows 255
)

// envelope reads {"status":…,"data":…,"errMsg":…} (JsonResult). What data gave is
// only true where envelope returns nil.
func (d *decoder) envelope(data func() error) error {
	var status *int
	var message *string
	err := d.object(func(key string) error {
		switch key {
		case "status":
			return d.value(&status)
		case "errMsg":
			return d.value(&message)
		case "data":
			return data()
		}
		return d.skip()
	})
	switch {
	case err != nil:
		return err
	case status == nil:
		return fmt.Errorf("%w: it has no status", errShape)
	case *status == 0:
		return nil
	case message == nil:
		return newRefused("")
	}
	return newRefused(*message)
}

// object reads an object and hands over each key; field must read the value.
// null has no keys.
func (d *decoder) object(field func(key string) error) error {
	open, err := d.open('{')
	if err != nil || !open {
		return err
	}
	for d.json.More() {
		token, err := d.json.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return fmt.Errorf("%w: %v where a key should be", errShape, token)
		}
		if err := field(key); err != nil {
			return err
		}
	}
	_, err = d.json.Token()
	return err
}

// array reads an array; entry must read one entry. null has none.
func (d *decoder) array(most int, entry func() error) error {
	open, err := d.open('[')
	if err != nil || !open {
		return err
	}
	for n := 0; d.json.More(); n++ {
		if n >= most {
			return fmt.Errorf("%w: a list of more than %d entries", errShape, most)
		}
		if err := entry(); err != nil {
			return err
		}
	}
	_, err = d.json.Token()
	return err
}

func (d *decoder) open(want json.Delim) (bool, error) {
	token, err := d.json.Token()
	switch {
	case err != nil:
		return false, err
	case token == nil:
		return false, nil
	case token != want:
		return false, fmt.Errorf("%w: %T where %v should be", errShape, token, want)
	}
	return true, nil
}

// value reads one value whole.
func (d *decoder) value(v any) error { return d.json.Decode(v) }

// entry reads one value of a list. One that does not fit is left out and
// counted.
func (d *decoder) entry(v any) (fits bool, err error) {
	err = d.json.Decode(v)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		d.odd++
		return false, nil
	}
	return err == nil, err
}

// skip passes over one value.
func (d *decoder) skip() error { return d.json.Decode(&ignored{}) }

// ignored is a value that nobody looks at.
type ignored struct{}

// UnmarshalJSON keeps nothing.
func (*ignored) UnmarshalJSON([]byte) error { return nil }

// name is the one copy of a name, or empty where nothing can have it.
func (d *decoder) name(s string) string {
	if len(s) > maxName {
		return ""
	}
	if known, ok := d.names[s]; ok {
		return known
	}
	d.names[s] = s
	return s
}
