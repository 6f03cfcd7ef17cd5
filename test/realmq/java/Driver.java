import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.RPCHook;
import org.apache.rocketmq.remoting.protocol.subscription.SubscriptionGroupConfig;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;
import org.apache.rocketmq.tools.command.topic.DeleteTopicSubCommand;

/**
 * Serves what a test does to a cluster, by the project's own admin client and producer.
 * Arguments: name servers, then access key and secret key if the cluster asks for them.
 * The commands are those of driver.go.
 */
final class Driver {
    /** Clients send in parallel: one request at a time leaves the broker idle most of the time. */
    private static final int WORKERS = 16;
    private static final String RETRY = "%RETRY%";
    private static final int BATCH_BYTES = 512 * 1024;
    private static final int CONSUMER_NOT_ONLINE = 206;
    private static final long ROUTE_TIMEOUT_NANOS = 60_000_000_000L;

    private final ExecutorService workers = Executors.newFixedThreadPool(WORKERS);
    private final DefaultMQAdminExt admin;
    private final DefaultMQProducer producer;

    public static void main(String[] args) throws Exception {
        Lines lines = new Lines();
        RPCHook hook = args.length < 3 ? null : new AclClientRPCHook(new SessionCredentials(args[1], args[2]));
        Driver driver = new Driver(args[0], hook);
        lines.serve(driver::handle);
    }

    private Driver(String nameServers, RPCHook hook) throws MQClientException {
        admin = new DefaultMQAdminExt(hook, 30_000);
        admin.setNamesrvAddr(nameServers);
        admin.setInstanceName("realmq-driver-admin");
        admin.start();
        producer = new DefaultMQProducer("realmq_driver", hook);
        producer.setNamesrvAddr(nameServers);
        producer.setInstanceName("realmq-driver-producer");
        producer.setSendMsgTimeout(30_000);
        producer.start();
    }

    private Object[] handle(String command, String[] a) throws Throwable {
        switch (command) {
            case "createTopic":
                return createTopic(a[0], brokers(a[1]), Integer.parseInt(a[2]), Integer.parseInt(a[3]),
                    Integer.parseInt(a[4]));
            case "deleteTopic":
                DeleteTopicSubCommand.deleteTopic(admin, a[1], a[0]);
                return new Object[0];
            case "createGroup":
                createGroup(a[0], brokers(a[1]), Integer.parseInt(a[2]), Integer.parseInt(a[3]));
                if (Boolean.parseBoolean(a[4])) {
                    return createTopic(RETRY + a[0], brokers(a[1]), Integer.parseInt(a[2]), Integer.parseInt(a[2]), 6);
                }
                return new Object[0];
            case "deleteGroup":
                for (String address : brokers(a[1]).values()) {
                    admin.deleteSubscriptionGroup(address, a[0], Boolean.parseBoolean(a[2]));
                }
                return new Object[0];
            case "produce":
                return produce(a[0], a[1], Integer.parseInt(a[2]), Integer.parseInt(a[3]), Integer.parseInt(a[4]),
                    a[5], Integer.parseInt(a[6]));
            case "commit":
                admin.updateConsumeOffset(a[1], a[0], new MessageQueue(a[2], a[3], Integer.parseInt(a[4])),
                    Long.parseLong(a[5]));
                return new Object[0];
            case "offsets":
                return offsets(a[0]);
            case "consumeStats":
                return consumeStats(a[0]);
            case "timeSpans":
                return timeSpans(a[0], a[1]);
            case "clients":
                return clients(a[0]);
            case "assignments":
                return assignments(a[0], a[1]);
            case "seed":
                return seed(brokers(a[0]), a[1], Integer.parseInt(a[2]), Integer.parseInt(a[3]),
                    Integer.parseInt(a[4]), Integer.parseInt(a[5]), a[6], Integer.parseInt(a[7]),
                    Integer.parseInt(a[8]), Long.parseLong(a[9]), Boolean.parseBoolean(a[10]));
            default:
                throw new IllegalArgumentException("unknown command " + command);
        }
    }

    /** Splits name=address,name=address. */
    private static Map<String, String> brokers(String list) {
        Map<String, String> brokers = new TreeMap<>();
        for (String broker : list.split(",")) {
            String[] parts = broker.split("=");
            brokers.put(parts[0], parts[1]);
        }
        return brokers;
    }

    private static TopicConfig topicConfig(String topic, int readQueues, int writeQueues, int perm) {
        return new TopicConfig(topic, readQueues, writeQueues, perm);
    }

    private Object[] createTopic(String topic, Map<String, String> brokers, int readQueues, int writeQueues, int perm)
        throws Exception {
        for (String address : brokers.values()) {
            admin.createAndUpdateTopicConfig(address, topicConfig(topic, readQueues, writeQueues, perm));
        }
        awaitRoute(topic, brokers);
        return new Object[0];
    }

    /** A broker answers before the name servers know the topic. */
    private void awaitRoute(String topic, Map<String, String> brokers) throws Exception {
        long deadline = System.nanoTime() + ROUTE_TIMEOUT_NANOS;
        while (!routed(topic, brokers)) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("name servers list no route of " + topic + " over " + brokers);
            }
            Thread.sleep(20);
        }
    }

    private boolean routed(String topic, Map<String, String> brokers) throws Exception {
        try {
            List<String> names = new ArrayList<>();
            for (var queueData : admin.examineTopicRouteInfo(topic).getQueueDatas()) {
                names.add(queueData.getBrokerName());
            }
            return names.containsAll(brokers.keySet());
        } catch (MQClientException e) {
            return false;
        }
    }

    private void createGroup(String group, Map<String, String> brokers, int retryQueues, int retryMaxTimes)
        throws Exception {
        SubscriptionGroupConfig config = new SubscriptionGroupConfig();
        config.setGroupName(group);
        config.setRetryQueueNums(retryQueues);
        config.setRetryMaxTimes(retryMaxTimes);
        for (String address : brokers.values()) {
            admin.createAndUpdateSubscriptionGroupConfig(address, config);
        }
    }

    /** Sends count messages, spread evenly over the queues that match; each queue by one worker. */
    private Object[] produce(String topic, String broker, int queueId, int count, int bodySize, String tag,
        int delayLevel) throws Throwable {
        List<MessageQueue> queues = new ArrayList<>();
        for (MessageQueue queue : producer.fetchPublishMessageQueues(topic)) {
            if ((broker.isEmpty() || broker.equals(queue.getBrokerName()))
                && (queueId < 0 || queueId == queue.getQueueId())) {
                queues.add(queue);
            }
        }
        if (queues.isEmpty()) {
            throw new IllegalArgumentException("no writable queue of " + topic + " matches");
        }
        queues.sort(null);
        byte[] body = body(bodySize);
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int i = 0; i < queues.size(); i++) {
            MessageQueue queue = queues.get(i);
            int share = count / queues.size() + (i < count % queues.size() ? 1 : 0);
            tasks.add(() -> {
                send(queue, share, body, tag, delayLevel);
                return null;
            });
        }
        all(tasks);
        return new Object[0];
    }

    /** Returns when the messages count, that is, when the queue's max offset is past them. */
    private void send(MessageQueue queue, int count, byte[] body, String tag, int delayLevel) throws Exception {
        // MessageBatch refuses delayed messages and retry topics.
        boolean single = delayLevel > 0 || queue.getTopic().startsWith(RETRY);
        int perBatch = single ? 1 : Math.max(1, Math.min(1000, BATCH_BYTES / (body.length + 100)));
        long end = 0;
        for (int sent = 0; sent < count; ) {
            List<Message> batch = new ArrayList<>();
            while (batch.size() < perBatch && sent + batch.size() < count) {
                Message message = new Message(queue.getTopic(), tag, body);
                if (delayLevel > 0) {
                    message.setDelayTimeLevel(delayLevel);
                }
                batch.add(message);
            }
            SendResult result = single ? producer.send(batch.get(0), queue) : producer.send(batch, queue);
            // SLAVE_NOT_AVAILABLE and the like mean that the master has the messages.
            if (result == null || result.getSendStatus() == null) {
                throw new IllegalStateException("no send result from " + queue);
            }
            sent += batch.size();
            end = result.getQueueOffset() + batch.size();
        }
        // The broker answers when a message is in the commit log and builds the queues from
        // that later. Of a delayed message it tells the offset in another topic.
        while (delayLevel == 0 && count > 0 && admin.maxOffset(queue) < end) {
            Thread.sleep(5);
        }
    }

    private static byte[] body(int size) {
        byte[] body = new byte[size];
        Arrays.fill(body, "x".getBytes(StandardCharsets.US_ASCII)[0]);
        return body;
    }

    private Object[] offsets(String topic) throws Exception {
        List<Object> fields = new ArrayList<>();
        for (var entry : admin.examineTopicStats(topic).getOffsetTable().entrySet()) {
            fields.addAll(List.of(entry.getKey().getBrokerName(), entry.getKey().getQueueId(),
                entry.getValue().getMinOffset(), entry.getValue().getMaxOffset(),
                entry.getValue().getLastUpdateTimestamp()));
        }
        return fields.toArray();
    }

    private Object[] consumeStats(String group) throws Exception {
        List<Object> fields = new ArrayList<>();
        for (var entry : admin.examineConsumeStats(group).getOffsetTable().entrySet()) {
            MessageQueue queue = entry.getKey();
            fields.addAll(List.of(queue.getTopic(), queue.getBrokerName(), queue.getQueueId(),
                entry.getValue().getBrokerOffset(), entry.getValue().getConsumerOffset(),
                entry.getValue().getLastTimestamp()));
        }
        return fields.toArray();
    }

    private Object[] timeSpans(String topic, String group) throws Exception {
        List<Object> fields = new ArrayList<>();
        for (var span : admin.queryConsumeTimeSpan(topic, group)) {
            fields.addAll(List.of(span.getMessageQueue().getBrokerName(), span.getMessageQueue().getQueueId(),
                span.getMinTimeStamp(), span.getMaxTimeStamp(), span.getConsumeTimeStamp(), span.getDelayTime()));
        }
        return fields.toArray();
    }

    private Object[] clients(String group) throws Exception {
        List<Object> fields = new ArrayList<>();
        try {
            for (var connection : admin.examineConsumerConnectionInfo(group).getConnectionSet()) {
                fields.addAll(List.of(connection.getClientId(), connection.getClientAddr(),
                    connection.getLanguage(), connection.getVersion()));
            }
        } catch (MQBrokerException e) {
            if (e.getResponseCode() != CONSUMER_NOT_ONLINE) {
                throw e;
            }
        } catch (MQClientException e) {
            if (e.getResponseCode() != CONSUMER_NOT_ONLINE) {
                throw e;
            }
        }
        return fields.toArray();
    }

    private Object[] assignments(String group, String clientId) throws Exception {
        List<Object> fields = new ArrayList<>();
        for (var entry : admin.getConsumerRunningInfo(group, clientId, false).getMqTable().entrySet()) {
            MessageQueue queue = entry.getKey();
            fields.addAll(List.of(queue.getTopic(), queue.getBrokerName(), queue.getQueueId(),
                entry.getValue().getCommitOffset()));
        }
        return fields.toArray();
    }

    /** Fills the brokers; answers with the milliseconds for topics, messages, groups and commits. */
    private Object[] seed(Map<String, String> brokers, String topicFormat, int topics, int queues,
        int messagesPerQueue, int bodySize, String groupFormat, int groups, int topicsPerGroup, long committed,
        boolean retryTopics) throws Throwable {
        long start = System.nanoTime();
        createTopics(brokers, topicFormat, topics, queues);
        if (retryTopics && groups > 0) {
            createTopics(brokers, RETRY.replace("%", "%%") + groupFormat, groups, 1);
            awaitRoute(RETRY + String.format(groupFormat, groups - 1), brokers);
        }
        long topicsDone = System.nanoTime();

        byte[] body = body(bodySize);
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int t = 0; t < topics && messagesPerQueue > 0; t++) {
            String topic = String.format(topicFormat, t);
            for (String broker : brokers.keySet()) {
                tasks.add(() -> {
                    for (int q = 0; q < queues; q++) {
                        send(new MessageQueue(topic, broker, q), messagesPerQueue, body, "", 0);
                    }
                    return null;
                });
            }
        }
        warm(topicFormat, topics, brokers);
        all(tasks);
        long messagesDone = System.nanoTime();

        tasks.clear();
        for (int g = 0; g < groups; g++) {
            String group = String.format(groupFormat, g);
            tasks.add(() -> {
                createGroup(group, brokers, 1, 16);
                return null;
            });
        }
        all(tasks);
        long groupsDone = System.nanoTime();

        tasks.clear();
        for (int g = 0; g < groups; g++) {
            String group = String.format(groupFormat, g);
            int first = g * topicsPerGroup;
            tasks.add(() -> {
                for (int i = 0; i < topicsPerGroup; i++) {
                    String topic = String.format(topicFormat, (first + i) % topics);
                    for (var broker : brokers.entrySet()) {
                        for (int q = 0; q < queues; q++) {
                            admin.updateConsumeOffset(broker.getValue(), group,
                                new MessageQueue(topic, broker.getKey(), q), committed);
                        }
                    }
                }
                return null;
            });
        }
        all(tasks);
        long commitsDone = System.nanoTime();
        return new Object[] {millis(start, topicsDone), millis(topicsDone, messagesDone),
            millis(messagesDone, groupsDone), millis(groupsDone, commitsDone)};
    }

    private static long millis(long from, long to) {
        return (to - from) / 1_000_000;
    }

    /** Waits for the route of the last topic, whose look-up also tells the producer the brokers' addresses. */
    private void warm(String topicFormat, int topics, Map<String, String> brokers) throws Exception {
        if (topics == 0) {
            return;
        }
        String last = String.format(topicFormat, topics - 1);
        awaitRoute(last, brokers);
        producer.fetchPublishMessageQueues(last);
    }

    private void createTopics(Map<String, String> brokers, String topicFormat, int topics, int queues)
        throws Throwable {
        List<TopicConfig> configs = new ArrayList<>();
        for (int t = 0; t < topics; t++) {
            configs.add(topicConfig(String.format(topicFormat, t), queues, queues, 6));
        }
        Method bulk = bulkCreateTopics();
        List<Callable<Void>> tasks = new ArrayList<>();
        for (String address : brokers.values()) {
            if (bulk != null) {
                tasks.add(() -> {
                    bulk.invoke(admin, address, configs);
                    return null;
                });
                continue;
            }
            for (TopicConfig config : configs) {
                tasks.add(() -> {
                    admin.createAndUpdateTopicConfig(address, config);
                    return null;
                });
            }
        }
        if (!configs.isEmpty()) {
            all(tasks);
        }
    }

    /** The request for many topics at once came with 5.3; null for an older admin client. */
    private static Method bulkCreateTopics() {
        try {
            return DefaultMQAdminExt.class.getMethod("createAndUpdateTopicConfigList", String.class, List.class);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    private void all(List<Callable<Void>> tasks) throws Throwable {
        for (Future<Void> task : workers.invokeAll(tasks)) {
            try {
                task.get();
            } catch (ExecutionException e) {
                throw e.getCause();
            }
        }
    }
}
