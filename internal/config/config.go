// Package config turns what the user said, in flags, environment and file, into
// checked settings. A Valid is the only thing that the rest of the program
// takes, and Load is the only maker of one, so that nobody can run on settings
// that nobody checked.
//
// It may hold the settings, their defaults, what is allowed, and the syntax of
// the file. It opens no connection, and no file but those that settings name,
// through a function that is handed in.
package config

import (
	"net/url"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// Config is everything that can be set.
type Config struct {
	Web      Web
	Log      Log
	Prefix   string // of the names of all metrics
	Shard    Shard
	Clusters []Cluster
}

// Shard is the part of the consumer groups that this process is for: one of
// Total, which is 1 where there is no other process.
type Shard struct{ Index, Total int }

// Valid is a Config that was checked.
type Valid struct {
	Config

	file   string           // that was read
	places map[string]place // where settings that are not of a cluster were said
}

// Web is how metrics and pages are served.
type Web struct {
	Listen        []string // host:port, :port, vsock://:port
	SystemdSocket bool     // listen on what systemd hands over instead
	ConfigFile    string   // of TLS and users, in the format of exporter-toolkit
	MetricsPath   string
	MaxScrapes    int
	Lifecycle     bool   // settings are reloaded by a POST
	Profiles      string // host:port to serve profiles of the process on; empty: none
	ProfilesOpen  bool   // that may be reachable from other machines
}

// Log is what is logged, and how.
type Log struct {
	Level  string // debug, info, warn or error
	Format string // logfmt or json
}

// Cluster is one installation that is read: the clusters behind one set of name
// servers, or behind one console.
type Cluster struct {
	// Name is what the label cluster says. Empty: RocketMQ's own name.
	Name string

	NameServers []string // host:port
	Access      Access   // to them, and to brokers
	Console     Console  // in place of name servers

	Interval     time.Duration // between the beginnings of two rounds
	Timeout      time.Duration // of one round
	Window       int           // requests in flight per node
	Parallel     int           // nodes asked at the same time
	KeepRounds   int
	ForgetAfter  time.Duration
	OwnerRefresh time.Duration
	SlowCycle    time.Duration // for what costs a request per topic

	IgnoredTopics []string // exact names
	System        bool     // topics and groups that RocketMQ makes for itself

	Topics, Groups Filter // by name
	// Clients is by the values of consumerClientIP and consumerClientPID, with
	// '@' between them.
	Clients Filter

	Detail          string   // queue, client or group
	Enable, Disable []string // metrics, by name
	Families        family.Choice
	// Limit bounds the series of the cluster, FamilyLimit those of each
	// family; 0: nothing does.
	Limit, FamilyLimit int

	States States

	// ConsoleLink is a console that the page links to; it is not read.
	ConsoleLink string
	// ProbeOnly keeps the cluster out of what is served for all.
	ProbeOnly bool
	// Shard is that of all clusters.
	Shard Shard
}

// States say how long something must last before it is a state of a consumer
// group.
type States struct {
	Lagging                  time.Duration // age of the oldest message not consumed
	Stalled                  time.Duration // without a commit that moves
	Stopped                  time.Duration // without a member
	RewoundAfter, RewoundFor time.Duration // that commits stay back, and that it shows
}

// Levels of detail.
const (
	ByQueue  = "queue"
	ByClient = "client"
	ByGroup  = "group"
)

// Console is a console to read from.
type Console struct {
	// URL is the console's address; empty: none.
	URL string

	Username      string // to log in to the console
	Password      remoting.Secret
	ProxyUsername string // for a proxy that asks in front of it
	ProxyPassword remoting.Secret

	// Where the passwords were to be read from.
	PasswordFile, PasswordEnv           string
	ProxyPasswordFile, ProxyPasswordEnv string

	TLS TLS // of https

	Parallel int           // calls under way at the same time
	Timeout  time.Duration // of one call
}

// Host is the host of the console's URL, with its port if it names one.
func (c Console) Host() string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// TLS is how a server's certificate is checked, and which one it is shown.
type TLS struct {
	CAFile, CertFile, KeyFile string
	ServerName                string
	Insecure                  bool // believe any certificate

	// What the files hold: authorities, the certificate and its key, in PEM.
	CA, Cert string
	Key      remoting.Secret
}

// Keys of settings that messages name, or others build on: see Setting.Key.
const (
	KeyListen      = "web.listen_address"
	KeyWebConfig   = "web.config_file"
	KeyProfiles    = "web.pprof_address"
	KeyNameServers = "namesrv"
	KeyConsole     = "console.url"
	KeyInterval    = "collect.interval"
	KeyFile        = "config.file"
	KeyCheck       = "check_config"
	KeyLogLevel    = "log.level"

	keyName          = "name"
	keyShardIndex    = "shard.index"
	keyShardTotal    = "shard.total"
	keyDetail        = "metrics.detail"
	keyEnable        = "metrics.enable"
	keyDisable       = "metrics.disable"
	keySystemd       = "web.systemd_socket"
	keyUsername      = "console.username"
	keyPasswordFile  = "console.password_file"
	keyPasswordEnv   = "console.password_env"
	keyProxyUsername = "console.proxy_username"
	keyProxyFile     = "console.proxy_password_file"
	keyProxyEnv      = "console.proxy_password_env"

	// Behind the name of a section with a server.
	keyCA         = "ca_file"
	keyCert       = "cert_file"
	keyKey        = "key_file"
	keyServerName = "server_name"
	keyInsecure   = "insecure_skip_verify"
)

// Environment variables of passwords. They have no flags: an argument can be
// read by everybody on the machine.
const (
	EnvConsolePassword      = envPrefix + "CONSOLE_PASSWORD"
	EnvConsoleProxyPassword = envPrefix + "CONSOLE_PROXY_PASSWORD"
)
