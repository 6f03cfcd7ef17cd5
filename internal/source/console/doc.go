// Package console is the source that reads RocketMQ's web console over HTTP:
// rocketmq-console and rocketmq-dashboard 1.0.0, and rocketmq-dashboard 2.x.
//
// One round asks, in this order:
//
//   - /cluster/list.query for the brokers; where that is refused, as it is when
//     a single process of any broker cannot be reached,
//     /topic/route.query for those that the name servers list;
//   - /topic/list.query for the topics: retry topics tell of new groups at once;
//   - /consumer/groupList.query for the groups, or /consumer/group.refresh.all
//     where that list is a cache (2.1 and later): at the start, when retry topics
//     come or go, and every GroupRounds rounds, because the console asks two or
//     more questions about every group for it;
//   - per group /consumer/queryTopicByConsumer.query for its rows and
//     /consumer/consumerConnection.query for its processes;
//   - per process of a broadcasting group /consumer/consumerRunningInfo.query,
//     and per topic of it /topic/stats.query for the ends;
//   - /topic/stats.query for the beginnings of topics with a queue whose commit
//     is shown as 0;
//   - behind the round, one call at a time and at most 64, /topic/stats.query of
//     every other topic in turn: where its queues begin, and when their newest
//     messages were stored.
//
// What the console does not tell, and what follows from it:
//
//   - A queue that a group never committed looks as if it had committed 0
//     (AdminBrokerProcessor.getConsumeStats). While such a queue begins at 0, or
//     nobody tells where it begins, 0 is what counts, as the console shows it.
//     Where retention has moved the beginning the queue has no row and is
//     counted as uncommitted; so is one that was truly committed at 0.
//   - Of queues that are only read any more brokers of before 5.3.0 tell no stats,
//     and of a topic that nobody may write to the console refuses them. Where they
//     begin is not known then; where that was told before and was not 0, it is not 0
//     now, and the newest message is no older than it was.
//   - A group whose model nobody has told yet, because the question who is
//     online failed, has no rows: they could be the false backlog of a
//     broadcasting group. One that is offline is believed to be clustering
//     unless it was seen broadcasting.
//   - Which broker process a failure is about is read from its words. Name
//     servers are not told to be up or down, so there are none in a snapshot.
//   - The console asks every process of a group for its queues before it
//     answers for the group's rows (ConsumerServiceImpl.getClientConnection): a
//     process that hangs delays them by 5 to 15 s. Such a call is left to run on
//     in the background and its answer serves a later round.
//   - Which groups POP, and what is in flight, is not told. Of a message that was
//     there before the exporter the console tells only when the one before it,
//     the last consumed, was stored.
//   - That all processes of a group have said which queues they hold is believed
//     where each is told to hold one. The brokers' replication is known as far as
//     the ends of commit logs tell it.
//
// The package may hold calls, their decoders, what is remembered between rounds,
// and the making of a snapshot. It does no arithmetic on offsets.
package console
