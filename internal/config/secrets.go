package config

import (
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// checkLogin reports a user without a password, or what stands for one, and a
// password without a user.
func (r *reading) checkLogin(what, user, password, userKey, fileKey, envKey string) {
	if (user == "") == (password == "") || r.isWrong(userKey) || r.isWrong(fileKey) || r.isWrong(envKey) {
		return
	}
	env := find(r.settings, fileKey).Secret
	if r.listed {
		env = envKey
	}
	r.aboutPair(userKey, " goes with %s, in %s or %s: one of them is missing", what, r.short(fileKey), env)
}

// secret is what a file holds, or where none is named, a variable.
func (r *reading) secret(user, file, variable, fileKey, envKey string) remoting.Secret {
	if file != "" {
		content, err := r.ReadFile(file)
		s := withoutNewline(string(content))
		switch {
		case err != nil:
			r.about(fileKey, ": %w", err)
		case s.IsZero():
			r.about(fileKey, ": %s is empty", file)
		}
		return s
	}
	if variable != "" {
		s := withoutNewline(r.Getenv(variable))
		if s.IsZero() {
			r.about(envKey, ": the variable that it names is empty, or there is none") // its name may be the secret
		}
		return s
	}
	if r.listed && user == "" {
		return remoting.Secret{} // it may be of another cluster
	}
	return withoutNewline(r.Getenv(find(r.settings, fileKey).Secret))
}

// withoutNewline drops what editors and echo put behind a password.
func withoutNewline(s string) remoting.Secret {
	return remoting.NewSecret(strings.TrimRight(s, "\r\n"))
}
