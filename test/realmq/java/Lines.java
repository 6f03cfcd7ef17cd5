import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The line protocol between a Go test and a Java process: a request is
 * {@code id TAB command TAB argument...}, its answer {@code id TAB ok TAB field...}
 * or {@code id TAB error TAB text}. Requests are served at the same time, answers
 * come in any order. The line with id 0 says that the process is ready.
 */
final class Lines {
    interface Handler {
        /** Serves one request and returns the fields of its answer. */
        Object[] handle(String command, String[] args) throws Throwable;
    }

    private final PrintStream out;

    /** Takes standard output for the protocol: whatever else prints goes to standard error. */
    Lines() {
        OutputStream stdout = System.out;
        out = new PrintStream(stdout, false, StandardCharsets.UTF_8);
        System.setOut(System.err);
    }

    /** Reports that the process is ready, then serves until the Go side is gone. */
    void serve(Handler handler, Object... readyFields) throws Exception {
        write("0", "ok", readyFields);
        ExecutorService workers = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            String[] fields = line.split("\t", -1);
            workers.execute(() -> {
                try {
                    String[] args = new String[fields.length - 2];
                    System.arraycopy(fields, 2, args, 0, args.length);
                    write(fields[0], "ok", handler.handle(fields[1], args));
                } catch (Throwable e) {
                    e.printStackTrace();
                    write(fields[0], "error", e.toString());
                }
            });
        }
        // Nobody is left to serve. halt, since shutdown hooks of the client may hang.
        Runtime.getRuntime().halt(0);
    }

    private void write(String id, String kind, Object... fields) {
        StringBuilder line = new StringBuilder(id).append('\t').append(kind);
        for (Object field : fields) {
            line.append('\t').append(String.valueOf(field).replaceAll("[\t\r\n]+", " "));
        }
        line.append('\n');
        synchronized (out) {
            out.print(line);
            out.flush();
        }
    }
}
