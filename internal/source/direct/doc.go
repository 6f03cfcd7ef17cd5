// Package direct is the source that reads name servers and brokers themselves,
// over RocketMQ's remoting protocol.
//
// One round asks, in this order (docs/design.md has the reasons and the cost):
//
//   - every name server for the brokers of its clusters (106);
//   - one process per broker name, the master or who acts for it, for its
//     topics (21), its groups (201) and every commit (43), then for the ends of
//     the queues in those commits: in bulk (208 with topicList) where the
//     broker knows how, else topic by topic (202). Commits come before ends, so
//     that a backlog is never negative only because messages arrived in
//     between;
//   - one broker per group who is online in it (203), beside that where the
//     group is known;
//   - the processes of groups that changed which queues they hold, and those
//     of broadcasting groups how far they are (307), two at a time per broker,
//     in the background; who is only asked again is asked behind the round;
//   - every broker process now and then for its runtime (28), in the
//     background too.
//
// What costs a request per topic or pair is asked behind the rounds, one request
// at a time per broker, and no older than a slower cycle: where queues begin and
// when their newest messages were stored (202), the ends of topics that nobody
// has committed on (208), how old is what was there before the first round (303),
// which groups POP (402), and how far slaves are behind (907).
//
// The package may hold requests, what is remembered between rounds, and the
// making of a snapshot. It does no arithmetic on offsets.
package direct
