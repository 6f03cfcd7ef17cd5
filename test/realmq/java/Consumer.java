import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.RPCHook;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;

/** One consumer process; its settings are key=value arguments, see consumerArgs in consumer.go. */
final class Consumer {
    private final AtomicLong consumed = new AtomicLong();
    private final Map<String, String> settings = new HashMap<>();
    private final DefaultMQPushConsumer consumer;
    private boolean paused;

    public static void main(String[] args) throws Throwable {
        Lines lines = new Lines();
        Consumer self = new Consumer(args);
        self.consumer.start();
        lines.serve(self::handle, self.consumer.buildMQClientId());
    }

    private Consumer(String[] args) throws Exception {
        for (String arg : args) {
            int equals = arg.indexOf('=');
            settings.put(arg.substring(0, equals), arg.substring(equals + 1));
        }
        RPCHook hook = null;
        if (settings.containsKey("accessKey")) {
            hook = new AclClientRPCHook(new SessionCredentials(settings.get("accessKey"), settings.get("secretKey")));
        }
        consumer = new DefaultMQPushConsumer(settings.get("group"), hook, new AllocateMessageQueueAveragely());
        consumer.setNamesrvAddr(settings.get("nameServer"));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setMessageModel(MessageModel.valueOf(settings.get("model")));
        if (settings.containsKey("clientIP")) {
            consumer.setClientIP(settings.get("clientIP"));
        }
        if (settings.containsKey("instanceName")) {
            consumer.setInstanceName(settings.get("instanceName"));
        }
        if (settings.containsKey("maxReconsumeTimes")) {
            consumer.setMaxReconsumeTimes(number("maxReconsumeTimes"));
        }
        if (settings.containsKey("pullBatch")) {
            consumer.setPullBatchSize(number("pullBatch"));
        }
        if (settings.containsKey("threads")) {
            consumer.setConsumeThreadMin(number("threads"));
            consumer.setConsumeThreadMax(number("threads"));
        }
        if (settings.containsKey("commitIntervalMillis")) {
            consumer.setPersistConsumerOffsetInterval(number("commitIntervalMillis"));
        }
        if (settings.containsKey("pop")) {
            // Only clients of 5.x have the method; with it the broker assigns the queues.
            DefaultMQPushConsumer.class.getMethod("setClientRebalance", boolean.class).invoke(consumer, false);
        }
        for (String topic : settings.get("topics").split(",")) {
            consumer.subscribe(topic, settings.get("expression"));
        }
        boolean fail = settings.containsKey("failAlways");
        long delayMillis = number("delayMillis");
        if (settings.containsKey("orderly")) {
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) ->
                consume(messages, delayMillis, fail)
                    ? ConsumeOrderlyStatus.SUCCESS : ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT);
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) ->
                consume(messages, delayMillis, fail)
                    ? ConsumeConcurrentlyStatus.CONSUME_SUCCESS : ConsumeConcurrentlyStatus.RECONSUME_LATER);
        }
    }

    private int number(String key) {
        return Integer.parseInt(settings.get(key));
    }

    private boolean consume(List<MessageExt> messages, long delayMillis, boolean fail) {
        try {
            synchronized (this) {
                while (paused) {
                    wait();
                }
            }
            if (delayMillis > 0) {
                Thread.sleep(delayMillis * messages.size());
            }
        } catch (InterruptedException e) {
            return false;
        }
        if (fail) {
            return false;
        }
        consumed.addAndGet(messages.size());
        return true;
    }

    private Object[] handle(String command, String[] args) {
        switch (command) {
            case "pause":
                consumer.suspend();
                // suspend stops the pulling only: a pull that waits at the broker still
                // brings what comes next, so the listener has to hold it.
                synchronized (this) {
                    paused = true;
                }
                return new Object[0];
            case "resume":
                synchronized (this) {
                    paused = false;
                    notifyAll();
                }
                consumer.resume();
                return new Object[0];
            case "consumed":
                return new Object[] {consumed.get()};
            case "stop":
                // Ends the process after the answer is out, as end of input would.
                consumer.shutdown();
                return new Object[] {consumed.get()};
            default:
                throw new IllegalArgumentException("unknown command " + command);
        }
    }
}
