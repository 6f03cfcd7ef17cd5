package config

import "github.com/rocketmq-exporter/rocketmq_exporter/remoting"

// Access is whom brokers take the exporter for, where they check that (ACL 1.0
// and 2.0), and how name servers and brokers are reached.
type Access struct {
	AccessKey                string
	SecretKey, SecurityToken remoting.Secret

	// Where the secrets were to be read from.
	SecretKeyFile, SecretKeyEnv         string
	SecurityTokenFile, SecurityTokenEnv string

	Secure bool // by TLS
	TLS    TLS
}

// Keys of the settings of access.
const (
	keyAccessKey     = "acl.access_key"
	keySecretKeyFile = "acl.secret_key_file" //nolint:gosec // a name, and no secret
	keySecretKeyEnv  = "acl.secret_key_env"  //nolint:gosec // likewise
	keyTokenFile     = "acl.security_token_file"
	keyTokenEnv      = "acl.security_token_env"
	keySecure        = "tls.enabled"
)

// Environment variables of secrets, as those of passwords.
const (
	EnvSecretKey     = envPrefix + "NAMESRV_SECRET_KEY"
	EnvSecurityToken = envPrefix + "NAMESRV_SECURITY_TOKEN"
)

func accessSettings() []Setting {
	rows := []Setting{
		{
			Key: keyAccessKey, Flag: "namesrv.access-key", Value: "NAME",
			Help: "Access key, or user name, for brokers that want a login (ACL). The secret key comes from a file, or from " + EnvSecretKey + ".",
			kind: text{},
			at:   func(_ *Config, k *Cluster) any { return &k.Access.AccessKey },
		},
		{
			Key: keySecretKeyFile, Flag: "namesrv.secret-key-file", Value: "FILE", Secret: EnvSecretKey,
			Help: "File with the secret key, or password, of that user.",
			kind: file{},
			at:   func(_ *Config, k *Cluster) any { return &k.Access.SecretKeyFile },
		},
		{
			Key: keySecretKeyEnv, Value: "NAME",
			Help: "Environment variable with that secret key.",
			kind: text{},
			at:   func(_ *Config, k *Cluster) any { return &k.Access.SecretKeyEnv },
		},
		{
			Key: keyTokenFile, Flag: "namesrv.security-token-file", Value: "FILE", Secret: EnvSecurityToken,
			Help: "File with a security token, which goes with temporary keys only.",
			kind: file{},
			at:   func(_ *Config, k *Cluster) any { return &k.Access.SecurityTokenFile },
		},
		{
			Key: keyTokenEnv, Value: "NAME",
			Help: "Environment variable with that token.",
			kind: text{},
			at:   func(_ *Config, k *Cluster) any { return &k.Access.SecurityTokenEnv },
		},
		{
			Key: keySecure, Flag: "namesrv.tls", Default: "false",
			Help: "Reach name servers and brokers by TLS. Those that were given no certificate sign one themselves at each start, which cannot be verified.",
			kind: yesNo{},
			at:   func(_ *Config, k *Cluster) any { return &k.Access.Secure },
		},
	}
	rows = append(rows, nodeTLSSettings()...)
	for i := range rows {
		rows[i].Scope, rows[i].Of = PerCluster, Direct
	}
	return rows
}

func nodeTLSSettings() []Setting {
	return tlsSettings("tls.", "namesrv.", "TLS", "node", func(k *Cluster) *TLS { return &k.Access.TLS })
}

// checkAccess checks what goes together, and reads what files hold.
func (r *reading) checkAccess(a *Access) {
	a.SecretKey = r.secret(a.AccessKey, a.SecretKeyFile, a.SecretKeyEnv, keySecretKeyFile, keySecretKeyEnv)
	r.checkLogin("a secret key", a.AccessKey, a.SecretKey.Reveal()+a.SecretKeyFile+a.SecretKeyEnv, keyAccessKey, keySecretKeyFile, keySecretKeyEnv)
	a.SecurityToken = r.secret(a.AccessKey, a.SecurityTokenFile, a.SecurityTokenEnv, keyTokenFile, keyTokenEnv)
	if a.AccessKey == "" && a.SecurityToken.Reveal()+a.SecurityTokenFile+a.SecurityTokenEnv != "" {
		r.aboutPair(keyTokenFile, " goes with %s, which is missing", r.short(keyAccessKey))
	}
	if a.Secure {
		r.readTLS("tls.", &a.TLS)
		return
	}
	for _, s := range nodeTLSSettings() {
		if r.place(s.Key).is() {
			r.about(s.Key, " is set, and %s is not", r.short(keySecure))
		}
	}
}
