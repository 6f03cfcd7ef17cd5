import org.apache.rocketmq.common.ServiceThread;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * Runs mqadmin without its last seconds: a command's client, once the command is
 * done, waits 3 s for a thread that polls (NettyEventExecutor), and the JVM 2 s
 * more for Netty's threads.
 */
final class Admin {
    public static void main(String[] args) throws InterruptedException {
        Thread command = new Thread(() -> MQAdminStartup.main0(args, null), "mqadmin");
        command.start();
        while (command.isAlive()) {
            command.join(20);
            if (joinsServiceThread(command)) {
                // ServiceThread takes it for the end of the wait, and the command goes on.
                command.interrupt();
            }
        }
        System.out.flush();
        System.err.flush();
        Runtime.getRuntime().halt(0);
    }

    private static boolean joinsServiceThread(Thread thread) {
        for (StackTraceElement frame : thread.getStackTrace()) {
            if (frame.getClassName().equals(ServiceThread.class.getName()) && frame.getMethodName().equals("shutdown")) {
                return true;
            }
        }
        return false;
    }
}
