package remoting

import (
	"context"
	"crypto/tls"
	"net"
)

// open opens one connection, encrypted where the options say so.
func (o *Options) open(ctx context.Context, addr string) (net.Conn, error) {
	nc, err := o.Dial(ctx, "tcp", addr)
	if err != nil || o.TLS == nil {
		return nc, err
	}
	config := o.TLS
	if config.ServerName == "" && !config.InsecureSkipVerify {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			closeAtOnce(nc)
			return nil, err
		}
		config = config.Clone()
		config.ServerName = host
	}
	secure := tls.Client(nc, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		closeAtOnce(nc)
		return nil, err
	}
	return secure, nil
}
