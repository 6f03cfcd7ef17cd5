package fakemq

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// signedBy asks as a user does; the signature is package remoting's.
func signedBy(t *testing.T, n *Node, user remoting.Credentials, code remoting.RequestCode, fields ...string) (remoting.ResponseCode, string) {
	t.Helper()
	client := remoting.NewClient(remoting.Options{Credentials: user})
	defer client.Close()
	r := request(code, fields...)
	_, err := client.Call(t.Context(), n.Addr(), remoting.Request{Code: code, Fields: r.Fields})
	if refused, ok := errors.AsType[*remoting.ResponseError](err); ok {
		return refused.Code, refused.Remark
	}
	must(t, err)
	return remoting.Success, ""
}

func who(key, secret string) remoting.Credentials {
	return remoting.Credentials{AccessKey: key, SecretKey: remoting.NewSecret(secret)}
}

func staff() *Access {
	readOnly := []string{"Get", "List"}
	return &Access{Users: []User{
		{AccessKey: "monitor", SecretKey: "monitorSecret1", Policies: []Policy{
			{Resource: "Topic:*", Actions: readOnly}, {Resource: "Group:*", Actions: readOnly}, {Resource: "Cluster:*", Actions: readOnly},
		}},
		{AccessKey: "nobody", SecretKey: "nobodySecret1"},
		{AccessKey: "narrow", SecretKey: "narrowSecret1", Policies: []Policy{
			{Resource: "Topic:ord*", Actions: []string{"All"}}, {Resource: "Topic:orders", Actions: readOnly, Deny: true},
			{Resource: "Group:g", Actions: []string{"Sub"}}, {Resource: "Group:*", Actions: readOnly, Deny: true}, {Resource: "Group:b*", Actions: readOnly},
		}},
		{AccessKey: "root", SecretKey: "rootSecret1", Super: true},
		{AccessKey: "gone", SecretKey: "goneSecret1", Disabled: true},
	}}
}

// The words are those of a real 5.4.0 and 5.5.0 (package test/e2e compares the
// two); "from" is the address of who asks.
func TestAccessControl2(t *testing.T) {
	const no = remoting.NoPermission
	mq := shop(t, Release550)
	mq.SetAccess(staff())
	a := mq.Broker("broker-a")
	lacks := func(user, resource string) string {
		return "User:" + user + " has no permission to access " + resource + " from 127.0.0.1, no matched policies."
	}
	for _, c := range []struct {
		key, secret string
		code        remoting.RequestCode
		fields      []string
		want        remoting.ResponseCode
		words       string
	}{
		{"", "", 43, nil, no, "username cannot be null."},
		{"nouser", "x", 43, nil, no, "User:nouser is not found."},
		{"gone", "goneSecret1", 43, nil, no, "User:gone is disabled."},
		{"monitor", "wrong", 43, nil, no, "check signature failed."},
		{"monitor", "monitorSecret1", 202, []string{"topic", "orders"}, 0, ""},
		{"monitor", "monitorSecret1", 317, []string{"isOrder", "false"}, 0, ""},
		{"root", "rootSecret1", 202, []string{"topic", "orders"}, 0, ""},
		{"nobody", "nobodySecret1", 43, nil, 0, ""},
		{"nobody", "nobodySecret1", 21, nil, 0, ""},
		{"nobody", "nobodySecret1", 201, nil, 0, ""},
		{"nobody", "nobodySecret1", 28, nil, 0, ""},
		{"nobody", "nobodySecret1", 202, []string{"topic", "orders"}, no, lacks("nobody", "Topic:orders")},
		{"nobody", "nobodySecret1", 202, []string{"topic", "%RETRY%g"}, no, lacks("nobody", "Group:g")},
		{"nobody", "nobodySecret1", 208, []string{"consumerGroup", "g", "topicList", "orders;notices"}, no, lacks("nobody", "Group:g")},
		{"nobody", "nobodySecret1", 203, []string{"consumerGroup", "g"}, no, lacks("nobody", "Group:g")},
		{"nobody", "nobodySecret1", 307, []string{"consumerGroup", "g", "clientId", "c@1"}, no, lacks("nobody", "Group:g")},
		{"nobody", "nobodySecret1", 38, []string{"consumerGroup", "g"}, no, lacks("nobody", "Group:g")},
		{"nobody", "nobodySecret1", 303, []string{"topic", "orders", "group", "g"}, no, lacks("nobody", "Topic:orders")},
		{"nobody", "nobodySecret1", 328, nil, no, lacks("nobody", "Cluster:c1")},
		{"nobody", "nobodySecret1", 315, []string{"statsName", "BROKER_PUT_NUMS", "statsKey", "c1"}, no, lacks("nobody", "Cluster:c1")},
		{"narrow", "narrowSecret1", 202, []string{"topic", "orders"}, no, "User:narrow has no permission to access Topic:orders from 127.0.0.1, the decision is deny."},
		{"narrow", "narrowSecret1", 202, []string{"topic", "ordinary"}, remoting.TopicNotExist, "topic[ordinary] not exist"},
		{"narrow", "narrowSecret1", 38, []string{"consumerGroup", "g"}, 0, ""},
		{"narrow", "narrowSecret1", 203, []string{"consumerGroup", "g"}, no, "the decision is deny."},
		{"narrow", "narrowSecret1", 203, []string{"consumerGroup", "bc"}, 0, ""},
	} {
		code, words := signedBy(t, a, who(c.key, c.secret), c.code, c.fields...)
		if code != c.want || !strings.Contains(words, c.words) {
			t.Errorf("%d of %q: %v %q, want %v %q", c.code, c.key, code, words, c.want, c.words)
		}
	}
	if code, words := signedBy(t, mq.NameServer(0), who("nouser", "x"), 106); code != remoting.Success {
		t.Errorf("a name server checks nobody: %v %q", code, words)
	}
	mq.SetAccess(nil)
	if code, words := signedBy(t, a, who("", ""), 202, "topic", "orders"); code != remoting.Success {
		t.Errorf("without access control: %v %q", code, words)
	}
}

// The words are those of a real 4.9.7.
func TestAccessControl1(t *testing.T) {
	const exception, in = "org.apache.rocketmq.acl.common.AclException: ", ", org.apache.rocketmq.acl.plain.PlainPermissionManager."
	mq := shop(t, Release497)
	mq.SetAccess(staff())
	a := mq.Broker("broker-a")
	for _, c := range []struct {
		key, secret string
		code        remoting.RequestCode
		fields      []string
		words       string
	}{
		{"", "", 43, nil, exception + "No accessKey is configured" + in + "validate(PlainPermissionManager.java:663)"},
		{"nouser", "x", 43, nil, exception + "No acl config for nouser" + in + "validate(PlainPermissionManager.java:667)"},
		{"monitor", "wrong", 43, nil, exception + "Check signature failed for accessKey=monitor" + in + "validate(PlainPermissionManager.java:683)"},
		{"monitor", "monitorSecret1", 38, []string{"consumerGroup", "g"}, exception + "No default permission for group:g" + in + "checkPerm(PlainPermissionManager.java:605)"},
		{"nobody", "nobodySecret1", 208, []string{"consumerGroup", "g", "topic", "orders"}, ""},
		{"nobody", "nobodySecret1", 328, nil, ""},
		{"narrow", "narrowSecret1", 38, []string{"consumerGroup", "g"}, ""},
		{"root", "rootSecret1", 38, []string{"consumerGroup", "g"}, ""},
	} {
		code, words := signedBy(t, a, who(c.key, c.secret), c.code, c.fields...)
		want := remoting.Success
		if c.words != "" {
			want = remoting.SystemError
		}
		if code != want || words != c.words {
			t.Errorf("%d of %q: %v %q, want %v %q", c.code, c.key, code, words, want, c.words)
		}
	}
}

func TestTLSModes(t *testing.T) {
	for _, c := range []struct {
		name          string
		options       TLS
		secure, plain bool // taken
	}{
		{"disabled", TLS{}, false, true},
		{"permissive", TLS{Mode: TLSPermissive}, true, true},
		{"enforcing", TLS{Mode: TLSEnforcing}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			mq := start(t, Options{TLS: c.options})
			for _, n := range mq.Nodes() {
				if err := askTLS(t, mq, n, nil); (err == nil) != c.secure {
					t.Errorf("%s over TLS: %v", n.Name(), err)
				}
				if err := askPlain(t, n); (err == nil) != c.plain {
					t.Errorf("%s plain: %v", n.Name(), err)
				}
			}
		})
	}
}

// askTLS asks over TLS, with the fake's authority.
func askTLS(t *testing.T, mq *Cluster, n *Node, certs []tls.Certificate) error {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(mq.CAPEM())
	client := remoting.NewClient(remoting.Options{TLS: &tls.Config{RootCAs: pool, Certificates: certs}})
	defer client.Close()
	_, err := client.Call(t.Context(), n.Addr(), remoting.Request{Code: 28})
	if remoting.Reason(err) == "unsupported" { // a name server's answer
		return nil
	}
	return err
}

func clientPair(t *testing.T, cert, key []byte) []tls.Certificate {
	t.Helper()
	c, err := tls.X509KeyPair(cert, key)
	must(t, err)
	return []tls.Certificate{c}
}

func askPlain(t *testing.T, n *Node) error {
	t.Helper()
	p := dial(t, n.Addr())
	p.send(request(28))
	_, err := p.receive()
	return err
}

func TestTLSCertificates(t *testing.T) {
	mq := start(t, Options{TLS: TLS{Mode: TLSPermissive, ClientCerts: true}})
	n := mq.Broker("broker-a")
	if err := askTLS(t, mq, n, nil); err == nil {
		t.Error("a client without a certificate was let in")
	}
	cert, key := mq.ClientPEM()
	if err := askTLS(t, mq, n, clientPair(t, cert, key)); err != nil {
		t.Errorf("a client with a certificate: %v", err)
	}
	alone := start(t, Options{TLS: TLS{Mode: TLSPermissive, SelfSigned: true}})
	err := askTLS(t, alone, alone.Broker("broker-a"), nil)
	if err == nil || !strings.Contains(err.Error(), "doesn't contain any IP SANs") {
		t.Errorf("a certificate for localhost alone: %v", err)
	}
	if n.Stop(); n.Connections() != 0 {
		t.Error("connections are left")
	}
	if _, err := net.Dial("tcp", n.Addr()); err == nil {
		t.Error("a stopped node listens")
	}
}
