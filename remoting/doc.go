// Package remoting speaks RocketMQ's remoting protocol: frames, both header
// encodings, the request codes and answer bodies that a read-only client
// needs, and a client that pipelines many requests on one connection per node.
//
// It may hold the wire format and what RocketMQ's own classes say about it. It
// knows no metric, keeps no snapshot, logs nothing and sends no request that
// its caller did not name.
//
// Sources: org.apache.rocketmq.remoting.protocol.RemotingCommand (frames and
// headers), RequestCode and ResponseCode (codes), and the body classes named
// at each decoder, as of RocketMQ 4.9.7 and 5.5.0.
package remoting
