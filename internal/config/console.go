package config

import (
	"strings"
	"time"
)

func consoleSettings() []Setting {
	rows := []Setting{
		{
			Key: keyUsername, Flag: "console.username", Value: "NAME",
			Help: "User for a console that wants a login. The password comes from a file, or from " + EnvConsolePassword + ".",
			kind: text{},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.Username },
		},
		{
			Key: keyPasswordFile, Flag: "console.password-file", Value: "FILE", Secret: EnvConsolePassword,
			Help: "File with the password of that user.",
			kind: file{},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.PasswordFile },
		},
		{
			Key: keyPasswordEnv, Value: "NAME",
			Help: "Environment variable with that password.",
			kind: text{},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.PasswordEnv },
		},
		{
			Key: keyProxyUsername, Flag: "console.proxy-username", Value: "NAME",
			Help: "User for a proxy in front that wants basic authentication. The password comes from a file, or from " + EnvConsoleProxyPassword + ".",
			kind: text{},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.ProxyUsername },
		},
		{
			Key: keyProxyFile, Flag: "console.proxy-password-file", Value: "FILE", Secret: EnvConsoleProxyPassword,
			Help: "File with the password of that user.",
			kind: file{},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.ProxyPasswordFile },
		},
		{
			Key: keyProxyEnv, Value: "NAME",
			Help: "Environment variable with that password.",
			kind: text{},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.ProxyPasswordEnv },
		},
	}
	rows = append(rows, tlsSettings("console.", "console.", "https", "console", func(k *Cluster) *TLS { return &k.Console.TLS })...)
	rows = append(rows,
		Setting{
			Key: "console.parallel", Flag: "console.parallel", Default: "4", Unit: "calls",
			Help: "Calls under way at the same time.",
			kind: number{least: 1, most: 64},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.Parallel },
		},
		Setting{
			Key: "console.call_timeout", Flag: "console.call-timeout", Default: "5s",
			Help: "Time limit of a call; four times that for the slow ones.",
			kind: span{least: 100 * time.Millisecond, most: time.Minute},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.Timeout },
		},
	)
	for i := range rows {
		rows[i].Scope, rows[i].Of = PerCluster, FromConsole
	}
	return rows
}

// checkConsole checks what goes together, and reads what files hold.
func (r *reading) checkConsole(c *Console) {
	c.Password = r.secret(c.Username, c.PasswordFile, c.PasswordEnv, keyPasswordFile, keyPasswordEnv)
	r.checkLogin("a password", c.Username, c.Password.Reveal()+c.PasswordFile+c.PasswordEnv, keyUsername, keyPasswordFile, keyPasswordEnv)
	c.ProxyPassword = r.secret(c.ProxyUsername, c.ProxyPasswordFile, c.ProxyPasswordEnv, keyProxyFile, keyProxyEnv)
	r.checkLogin("a password", c.ProxyUsername, c.ProxyPassword.Reveal()+c.ProxyPasswordFile+c.ProxyPasswordEnv, keyProxyUsername, keyProxyFile, keyProxyEnv)
	if strings.HasPrefix(c.URL, "http://") {
		for _, s := range tlsSettings("console.", "console.", "", "", nil) {
			if r.place(s.Key).is() {
				r.about(s.Key, " is set, and the console's address is not https")
			}
		}
		return
	}
	r.readTLS("console.", &c.TLS)
}
