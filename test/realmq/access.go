package realmq

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
)

// AccessControl returns the Properties of a broker that checks logins and rights
// (ACL 2.0, of 5.3 and later), and knows one user, who may do everything.
func AccessControl(root Credentials) map[string]string {
	const authentication = "org.apache.rocketmq.auth.authentication.provider."
	const authorization = "org.apache.rocketmq.auth.authorization.provider."
	return map[string]string{
		"authenticationEnabled":                "true",
		"authenticationProvider":               authentication + "DefaultAuthenticationProvider",
		"authenticationMetadataProvider":       authentication + "LocalAuthenticationMetadataProvider",
		"initAuthenticationUser":               jsonText(map[string]string{"username": root.AccessKey, "password": root.SecretKey}),
		"innerClientAuthenticationCredentials": jsonText(root),
		"authorizationEnabled":                 "true",
		"authorizationProvider":                authorization + "DefaultAuthorizationProvider",
		"authorizationMetadataProvider":        authorization + "LocalAuthorizationMetadataProvider",
	}
}

// jsonText is of values that always have one.
func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Policy is what a user may do with resources, as mqadmin takes it: resources
// such as "Topic:*" or "Group:orders*", actions such as "Get".
type Policy struct {
	Resources, Actions []string
}

// CreateUser creates a user of ACL 2.0 on all brokers, by mqadmin createUser and
// createAcl. Without a policy it may log in and no more.
func (c *Cluster) CreateUser(ctx context.Context, user Credentials, policies ...Policy) error {
	err := c.adminOfAll(ctx, "createUser", "-u", user.AccessKey, "-p", user.SecretKey)
	for _, policy := range policies {
		if err == nil {
			err = c.adminOfAll(ctx, "createAcl", "-s", "User:"+user.AccessKey, "-d", "Allow",
				"-r", strings.Join(policy.Resources, ","), "-a", strings.Join(policy.Actions, ","))
		}
	}
	return err
}

// SetPassword changes a user's secret on all brokers, by mqadmin updateUser.
func (c *Cluster) SetPassword(ctx context.Context, user Credentials) error {
	return c.adminOfAll(ctx, "updateUser", "-u", user.AccessKey, "-p", user.SecretKey)
}

// adminOfAll runs mqadmin once for each RocketMQ cluster.
func (c *Cluster) adminOfAll(ctx context.Context, command string, args ...string) error {
	names := make(map[string]bool)
	for _, broker := range c.brokers {
		names[broker.broker.ClusterName] = true
	}
	for name := range names {
		if _, err := c.Admin(ctx, slices.Concat([]string{command, "-c", name}, args)...); err != nil {
			return err
		}
	}
	return nil
}

// Certificate names files in PEM. The key is in PKCS #8.
type Certificate struct{ CertFile, KeyFile string }

// serverTLS are the system properties of a server (TlsSystemConfig).
func (o *Options) serverTLS() []string {
	var properties []string
	switch {
	case o.TLSOnly:
		properties = append(properties, "-Dtls.server.mode=enforcing")
	case !o.TLS:
		properties = append(properties, "-Dtls.server.mode=disabled")
	}
	if o.Certificate != nil {
		properties = append(properties, "-Dtls.test.mode.enable=false",
			"-Dtls.server.certPath="+o.Certificate.CertFile, "-Dtls.server.keyPath="+o.Certificate.KeyFile)
	}
	return append(properties, o.clientTLS()...)
}

// clientTLS are those of every process, since brokers are clients of name
// servers. None checks the certificate of whom it asks, which is the default.
func (o *Options) clientTLS() []string {
	return []string{fmt.Sprintf("-Dtls.enable=%t", o.TLSOnly)}
}

// dial opens a connection as the servers take it.
func (o *Options) dial(ctx context.Context, address string) (net.Conn, error) {
	if !o.TLSOnly {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "tcp", address)
	}
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} // what is checked is something else
	return dialer.DialContext(ctx, "tcp", address)
}
