package remoting

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// The value is that of RocketMQ's own AclSignerTest: the text RocketMQ under
// the key 12345678.
const signedRocketMQ = "IUc8rrO/0gDch8CjObLQsW2rsiA="

func TestSignatureIsRocketMQs(t *testing.T) {
	s := newSigner(Credentials{AccessKey: "R", SecretKey: NewSecret("12345678"), SecurityToken: NewSecret("o")})
	for range 3 { // nothing is left of the request before
		// Sorted by key: AccessKey, SecurityToken, a, consumerGroup, topic.
		got := s.sign([]Field{{"topic", "e"}, {"a", "c"}, {"consumerGroup", "k"}}, []byte("tMQ"))
		if f := got[len(got)-1]; f != (Field{"Signature", signedRocketMQ}) {
			t.Errorf("%+v, want the signature %s", f, signedRocketMQ)
		}
		for _, f := range []Field{{"topic", "e"}, {"AccessKey", "R"}, {"SecurityToken", "o"}} {
			if !slices.Contains(got, f) {
				t.Errorf("%+v is missing in %+v", f, got)
			}
		}
	}
}

func TestEveryRequestIsSigned(t *testing.T) {
	const n = 20
	var asked []Command
	bubble(t, Options{Credentials: Credentials{AccessKey: "Rocket", SecretKey: NewSecret("12345678")}}, func(p *peerConn) {
		for c, ok := p.next(); ok; c, ok = p.next() {
			c.Body = append([]byte(nil), c.Body...)
			asked = append(asked, c)
			p.answer(c)
		}
	}, func(t *testing.T, client *Client, _ *pipes) {
		client.Pipeline(t.Context(), broker, n, func(int) Request {
			return Request{Code: GetTopicStatsInfo, Fields: []Field{{"topic", "M"}}, Body: []byte("Q")}
		}, func(_ int, _ Response, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	})
	if len(asked) != n {
		t.Fatalf("%d requests, want %d", len(asked), n)
	}
	for _, c := range asked {
		key, _ := c.Field("AccessKey")
		signature, _ := c.Field("Signature")
		if _, token := c.Field("SecurityToken"); key != "Rocket" || signature != signedRocketMQ || token || len(c.Fields) != 3 {
			t.Errorf("%+v", c.Fields)
		}
	}
}

// A node that repeats what it was sent, or what it knows, is not repeated.
func TestANodesWordsShowNoSecret(t *testing.T) {
	const secretKey, token = "the-secret-key", "the-token"
	for _, words := range []string{
		"org.apache.rocketmq.acl.common.AclException: Check signature failed for " + token + ", wanted " + secretKey,
		"[GROUP] " + secretKey + " not exist",
	} {
		bubble(t, Options{Credentials: Credentials{AccessKey: "me", SecretKey: NewSecret(secretKey), SecurityToken: NewSecret(token)}}, func(p *peerConn) {
			for c, ok := p.next(); ok; c, ok = p.next() {
				p.refuse(c, SystemError, words)
			}
		}, func(t *testing.T, client *Client, _ *pipes) {
			for range 2 { // of the answer, and of the pause after it
				_, err := client.Call(t.Context(), broker, Request{Code: GetBrokerClusterInfo})
				if err == nil || strings.Contains(err.Error(), secretKey) || strings.Contains(err.Error(), token) || !strings.Contains(err.Error(), "<secret>") {
					t.Errorf("%v", err)
				}
				if refused, ok := errors.AsType[*ResponseError](err); ok && strings.Contains(refused.Remark, secretKey) {
					t.Errorf("%q", refused.Remark)
				}
			}
		})
	}
}

func TestAShortSecretSpoilsNoWords(t *testing.T) {
	const words = "org.apache.rocketmq.acl.common.AclException: No acl config for me"
	c := Credentials{AccessKey: "me", SecretKey: NewSecret("x")}
	if got := c.conceal(words); got != words {
		t.Errorf("%q became %q", words, got)
	}
}

func TestNothingIsSignedWithoutAnAccessKey(t *testing.T) {
	bubble(t, Options{Credentials: Credentials{SecretKey: NewSecret("12345678")}}, func(p *peerConn) {
		c, _ := p.next()
		if c.Fields != nil {
			t.Errorf("%+v", c.Fields)
		}
		p.answer(c)
	}, func(t *testing.T, client *Client, _ *pipes) {
		if _, err := client.Call(t.Context(), broker, Request{Code: GetBrokerClusterInfo}); err != nil {
			t.Error(err)
		}
	})
}
