package remoting

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what RocketMQ checks; as a MAC it is not broken
	"encoding/base64"
	"hash"
	"slices"
	"strings"
)

// Names of the ext fields that say who asks (SessionCredentials in RocketMQ).
const (
	fieldAccessKey     = "AccessKey"
	fieldSecurityToken = "SecurityToken"
	fieldSignature     = "Signature"
)

// signer signs requests. It keeps its buffers, and is not safe for concurrent
// use: a connection has its own.
type signer struct {
	who    []Field // that every request carries
	mac    hash.Hash
	sorted []Field
	text   []byte
	sum    [sha1.Size]byte
	out    []byte
}

// keepText is the longest text, in bytes, that a signer keeps its memory for.
const keepText = 64 << 10

// newSigner is nil for credentials without an access key.
func newSigner(c Credentials) *signer {
	if c.AccessKey == "" {
		return nil
	}
	s := &signer{
		who: []Field{{fieldAccessKey, c.AccessKey}},
		mac: hmac.New(sha1.New, []byte(c.SecretKey.Reveal())),
	}
	if !c.SecurityToken.IsZero() {
		s.who = append(s.who, Field{fieldSecurityToken, c.SecurityToken.Reveal()})
	}
	return s
}

// sign returns the fields of a request with those that say who asks, and the
// signature. They are valid until the next call.
//
// The signature is the HMAC-SHA1, in base64, of the values of all other fields
// in the order of their keys, and of the body behind them
// (AclUtils.combineRequestContent, AclSigner).
func (s *signer) sign(fields []Field, body []byte) []Field {
	s.sorted = append(append(s.sorted[:0], fields...), s.who...)
	slices.SortFunc(s.sorted, func(a, b Field) int { return strings.Compare(a.Key, b.Key) })
	text := s.text[:0]
	for _, f := range s.sorted {
		text = append(text, f.Value...)
	}
	s.mac.Reset()
	_, _ = s.mac.Write(text)
	_, _ = s.mac.Write(body)
	s.out = base64.StdEncoding.AppendEncode(s.out[:0], s.mac.Sum(s.sum[:0]))
	if s.text = text; cap(text) > keepText {
		s.text = nil
	}
	s.sorted = append(s.sorted, Field{fieldSignature, string(s.out)})
	return s.sorted
}
