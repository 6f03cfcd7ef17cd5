package remoting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretShowsItselfToNobody(t *testing.T) {
	const text = "hush-hush-0815"
	secret := NewSecret(text)
	credentials := Credentials{AccessKey: "monitor", SecretKey: secret, SecurityToken: secret}
	holders := []any{
		secret, &secret, credentials, &credentials, []Secret{secret}, map[string]Secret{"key": secret},
		Options{Credentials: credentials}, NewClient(Options{Credentials: credentials}),
		struct{ inner Credentials }{credentials}, fmt.Errorf("who: %v", credentials),
	}
	for _, v := range holders {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			got := fmt.Sprintf(verb, v)
			if strings.Contains(got, text) || strings.Contains(strings.ToLower(got), fmt.Sprintf("%x", text)) {
				t.Errorf("%T by %s shows the secret: %s", v, verb, got)
			}
		}
	}
	encoded, err := json.Marshal(credentials)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("who", "secret", secret, "credentials", credentials, "inner", struct{ c Credentials }{credentials})
	}
	for _, got := range []string{string(encoded), log.String()} {
		if strings.Contains(got, text) || !strings.Contains(got, "monitor") {
			t.Errorf("the secret shows, or nothing does: %s", got)
		}
	}
	if secret.Reveal() != text || secret.IsZero() || secret.String() != "<secret>" {
		t.Errorf("%q, empty %v, shown as %q", secret.Reveal(), secret.IsZero(), secret)
	}
}

func TestEmptySecretShowsThatItIsEmpty(t *testing.T) {
	for _, s := range []Secret{{}, NewSecret("")} {
		if !s.IsZero() || s.Reveal() != "" || s.String() != "" {
			t.Errorf("%q, empty %v, shown as %q", s.Reveal(), s.IsZero(), s)
		}
	}
}
