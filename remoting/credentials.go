package remoting

import (
	"log/slog"
	"strings"
)

// Credentials are whom a client is at nodes that check it: an access key with
// its secret key. The client signs every request with them, as RocketMQ's
// AclClientRPCHook does; ACL 1.0 and ACL 2.0 take the same signature. Without
// an access key nothing is signed.
type Credentials struct {
	AccessKey string
	SecretKey Secret
	// SecurityToken goes with temporary keys, and is empty for all others. It
	// is sent as it is, so that without TLS anybody on the way can read it; the
	// secret key itself is never sent.
	SecurityToken Secret
}

// concealable is the shortest secret that is looked for in a node's words: shorter
// ones are in many words by chance, and the reason of an error is found by these.
const concealable = 6

// conceal takes secrets out of a node's words: it was sent the token and knows the
// key, and what it says goes to logs and pages.
func (c *Credentials) conceal(words string) string {
	if words == "" {
		return words
	}
	for _, s := range []Secret{c.SecretKey, c.SecurityToken} {
		if len(s.Reveal()) >= concealable {
			words = strings.ReplaceAll(words, s.Reveal(), hidden)
		}
	}
	return words
}

// Secret is a text that shows itself to nobody: printed, logged or encoded, in
// a struct or on its own, it is the word that stands for it. The zero value is
// the empty secret, and that one shows that it is empty.
type Secret struct {
	// A pointer, since package fmt prints what is in unexported fields without
	// asking any method.
	text *string
}

// hidden is what is seen of a secret.
const hidden = "<secret>"

// NewSecret hides a text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal is the text itself.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero says whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == nil }

// String hides the secret.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return hidden
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return "remoting.Secret(" + s.String() + ")" }

// LogValue hides the secret from package slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders: of JSON, YAML and others.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
