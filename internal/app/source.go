package app

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/console"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/direct"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// newTarget makes the one target that the flags can name.
func newTarget(c config.Valid) (*target, error) {
	t := &target{
		name: strings.Join(c.NameServers, ";"), console: cmp.Or(c.ConsoleLink, c.Console.URL),
		stats: newStats(), now: time.Now,
	}
	if c.Console.URL == "" {
		t.src = newDirect(c, t.stats)
		return t, nil
	}
	t.name = c.Console.Host() // as the source calls a cluster that it has never reached
	src, err := newConsole(c, t.stats)
	if err != nil {
		return nil, err
	}
	t.src = src
	return t, nil
}

func selection(c config.Valid) source.Selection {
	return source.Selection{System: c.System, IgnoredTopics: c.IgnoredTopics}
}

func newDirect(c config.Valid, s *stats) source.Source {
	return direct.New(direct.Options{
		NameServers:  c.NameServers,
		Selection:    selection(c),
		Remoting:     remoting.Options{Window: c.Window, Observe: s.observeRemoting},
		KeepRounds:   c.KeepRounds,
		ForgetAfter:  c.ForgetAfter,
		Parallel:     c.Parallel,
		OwnerRefresh: c.OwnerRefresh,
	})
}

func newConsole(c config.Valid, s *stats) (source.Source, error) {
	k := c.Console
	secure, mistakes := consoleTLS(k)
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return console.New(console.Options{
		URL: k.URL, Selection: selection(c),
		Username: k.Username, Password: k.Password,
		BasicUser: k.ProxyUsername, BasicPassword: k.ProxyPassword,
		TLS: secure, Parallel: k.Parallel, CallTimeout: k.Timeout,
		KeepRounds: c.KeepRounds, ForgetAfter: c.ForgetAfter, Observe: s.observeConsole,
		GroupRounds: consoleGroupRounds, OfflineRounds: consoleOfflineRounds,
	})
}

// What a console is not asked in every round, and how often at least. A process
// that did not answer is asked again after pauses that grow to
// consoleProcessPause.
const (
	consoleGroups        = "/consumer/groupList.query"
	consoleGroupRounds   = 20
	consoleConnection    = "/consumer/consumerConnection.query"
	consoleOfflineRounds = 4
	consoleProcessPause  = 5 * time.Minute
)

// CheckFiles looks into the files that the settings of a console name, so that
// their mistakes can be reported with all others.
func CheckFiles(c config.Console) []error {
	if c.URL == "" {
		return nil
	}
	_, mistakes := consoleTLS(c)
	return mistakes
}

// consoleTLS is how a console's certificate is checked, and which one it is
// shown.
func consoleTLS(k config.Console) (c *tls.Config, mistakes []error) {
	c = &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: k.ServerName,
		InsecureSkipVerify: k.Insecure, //nolint:gosec // only when the user asked for it
	}
	if k.CAFile != "" {
		pem, err := os.ReadFile(k.CAFile)
		c.RootCAs = x509.NewCertPool()
		switch {
		case err != nil:
			mistakes = append(mistakes, fmt.Errorf("--%s: %w", config.FlagConsoleCA, err))
		case !c.RootCAs.AppendCertsFromPEM(pem):
			mistakes = append(mistakes, fmt.Errorf("--%s: %s holds no certificate in PEM", config.FlagConsoleCA, k.CAFile))
		}
	}
	if k.CertFile != "" && k.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(k.CertFile, k.KeyFile)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("--%s and --%s: %w", config.FlagConsoleCert, config.FlagConsoleKey, err))
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, mistakes
}
